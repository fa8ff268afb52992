import { readiness } from "../../lib/evaluate/readiness.ts";
import { verdictOf } from "../../lib/evaluate/verdict.ts";
import type { PairRecord } from "../../lib/evaluate/pairs_record.ts";
import { createRandom } from "../../lib/random.ts";
import type { RunView, Sample } from "../../report/run_view.ts";
import { madeUpEvaluation } from "../evaluate/made_up_evaluation.ts";

/** Texts that would run, or break a page, wherever one of them stood unescaped. */
export const HOSTILE = [
  "</script><script>globalThis.hacked = 1</script>",
  "<!--<script>",
  `<img src="x" onerror="globalThis.hacked = 2">`,
  `" autofocus onfocus="globalThis.hacked = 3" x="`,
  `' style='position:fixed' onmouseover='globalThis.hacked = 4`,
  `<a href="javascript:globalThis.hacked = 5">here</a>`,
  "<style>body { display: none }</style></details></table></main>",
  "&lt;b&gt; \u2028 \u202E right to left \u0000 ${globalThis.hacked = 6}",
];

/** A run with all that a page shows; `hostile` puts {@link HOSTILE} wherever text of a user goes. */
export function madeUpRun({ hostile = false, seed = 1 } = {}): RunView {
  const random = createRandom(seed);
  const words = (plain: string, i: number) => hostile ? HOSTILE[i % HOSTILE.length] : plain;
  const steps = Array.from({ length: 120 }, (_, i) => {
    const gain = ((i + 1) / 120) * (1 + 0.2 * random.normal());
    return {
      ...{
        step: i + 1,
        epoch: (i + 1) / 60,
        loss: 0.7 - gain / 3,
        chosenPreference: 0.5 + gain / 3,
      },
      ...{ "rewards/chosen": gain / 4, "rewards/rejected": -gain, "rewards/margins": 1.25 * gain },
      ...{ "drift/chosen": 2.5 * gain, "drift/rejected": -10 * gain, grad_norm: 1 + random.next() },
      ...{ learning_rate: 1e-4 * (1 - i / 120), tokens: 100, pairs_per_second: 8 },
      tokens_per_second: 200,
    };
  });
  const judged = { ...steps[119], pairs: 40 };
  const epochs = [60, 120].map((step, i) => ({
    ...{
      epoch: i + 1,
      step,
      train: steps[step - 1],
      validation: { ...judged, loss: 0.5 - i / 10 },
    },
  }));
  const evaluation = madeUpEvaluation({ sft: { wrong: 0.4 }, dpo: { wrong: 0.1 }, prompts: 40 });
  if (hostile) {
    evaluation.preference.by_kind = Object.fromEntries(
      HOSTILE.map((text) => [text, evaluation.preference.by_kind.side]),
    );
  }
  const settings = {
    beta: 0.1,
    loss_type: ["sigmoid", "sft"],
    train_rows: { file: { path: words("train.jsonl", 2), sha256: "0" } },
  };
  return {
    name: words("models/made_up", 0),
    ...{ state: "finished", totalSteps: null, settings, steps, epochs, evaluation },
    versions: { "dpo-kit": "0.1.0" },
    backend: { name: "cpu", device: words("CPU", 3) },
    cost: { pairsPerSecond: 8, tokensPerSecond: 200, elapsedMs: 6e4, peakMemoryBytes: 1e9 },
    samples: Array.from({ length: 30 }, (_, i) => madeUpSample(i, words)),
    pairs: {
      ...{ beta: 0.1, total: 500 },
      pairs: Array.from({ length: 40 }, (_, i) => madeUpPair(i, words, random.normal())),
    },
    readiness: readiness({ settings: {}, epochs, steps }, evaluation),
    verdict: verdictOf(evaluation),
  };
}

type Words = (plain: string, i: number) => string;

function madeUpSample(i: number, words: Words): Sample {
  const text = words("Pain in the right knee for 3 days.", i), end = Math.min(text.length, 17);
  const unsupported = [{ text: text.slice(12, end), kind: "side" as const, start: 12, end }];
  return {
    prompt: words(`Clinical Note ${i}: left knee pain.`, i + 1),
    reference: words("Pain in the left knee.", i + 2),
    texts: {
      sft: { text, unsupported },
      dpo: { text: words("Pain in the left knee.", i + 3), unsupported: i % 5 ? [] : unsupported },
    },
  };
}

/** Every fifth pair is ranked the wrong way, and one is tied; the first twelve have their tokens. */
function madeUpPair(i: number, words: Words, noise: number): PairRecord {
  const drift = i === 7 ? 0 : i % 5 ? 2 + Math.abs(noise) : -1 - Math.abs(noise);
  const texts = (side: string) => [" Pain", " in", " the", ` ${side}`, " knee", words(".", i)];
  const reference = [-1, -0.5, -0.1, -2, -0.2, -0.1];
  const answer = (side: string, gain: number) => ({
    texts: texts(side),
    policy: reference.map((value, at) => at === 3 ? value + gain : value),
    reference,
  });
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const [chosen, rejected] = [answer("left", 0), answer("right", -drift)];
  return {
    row: i + 1,
    kind: words(i % 2 ? "side" : "dose", i),
    prompt: words(`Clinical Note ${i}: left knee pain.`, i + 1),
    chosen: words("Pain in the left knee.", i + 2),
    rejected: words("Pain in the right knee.", i + 3),
    policy_chosen: sum(chosen.policy),
    policy_rejected: sum(rejected.policy),
    reference_chosen: sum(reference),
    reference_rejected: sum(reference),
    ...{ tokens_chosen: 6, tokens_rejected: 6 },
    tokens: i < 12 ? { shared: 3, chosen, rejected } : null,
  };
}
