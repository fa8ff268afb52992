import { runLetter } from "../figures/training_curves.ts";
import { formatDuration } from "../../lib/format_duration.ts";
import { shortNumber, shortPercent, signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import type { RunView } from "../run_view.ts";
import { plainTable } from "./figure_block.ts";

/** Two runs' main numbers in a table. */
export function sideBySide(runs: readonly RunView[]): Markup | null {
  if (runs.length < 2) return null;
  const rows = ROWS.map(([label, read]) => [label, ...runs.map((run) => read(run) ?? "–")])
    .filter(([, ...values]) => values.some((value) => value !== "–"));
  const names = runs.map(({ name }, i) => markup`${runLetter(i)} is <b><bdi>${name}</bdi></b>. `);
  return markup`<section id="compared" aria-labelledby="compared_title">
<h2 id="compared_title">Two runs side by side</h2>
<p>${names}Lines of run B are dashed. Pairs and samples below are run A's.</p>
${plainTable("Two runs", { head: ["measure", ...runs.map((_, i) => runLetter(i))], rows })}
</section>`;
}

const heldOut = ({ epochs }: RunView) =>
  epochs.findLast(({ validation }) => validation !== null)?.validation ?? undefined;
const share = (value: number | null | undefined) =>
  value === undefined ? undefined : shortPercent(value);

const ROWS: [string, (run: RunView) => string | undefined][] = [
  ["held-out loss, nats", (run) => heldOut(run) && shortNumber(heldOut(run)!.loss)],
  [
    "Chosen Preference, held out",
    (run) => share(run.evaluation?.preference.chosen_preference ?? heldOut(run)?.chosenPreference),
  ],
  [
    "reward margin, held out",
    (run) => heldOut(run) && shortNumber(heldOut(run)!["rewards/margins"]),
  ],
  ["chosen drift, nats", (run) => heldOut(run) && signed(heldOut(run)!["drift/chosen"])],
  ["rejected drift, nats", (run) => heldOut(run) && signed(heldOut(run)!["drift/rejected"])],
  [
    "unsupported details, Stage A",
    (run) => share(run.evaluation?.generation.sft.hallucination_rate),
  ],
  ["unsupported details, DPO", (run) => share(run.evaluation?.generation.dpo.hallucination_rate)],
  [
    "unsupported details, control",
    (run) => share(run.evaluation?.generation.control?.hallucination_rate),
  ],
  ["details recalled, DPO", (run) => share(run.evaluation?.generation.dpo.recall)],
  ["steps", ({ steps }) => steps.length > 0 ? String(steps.at(-1)!.step) : undefined],
  ["pairs a second", ({ cost }) => cost ? shortNumber(cost.pairsPerSecond) : undefined],
  ["time", ({ cost }) => cost ? formatDuration(cost.elapsedMs / 1000) : undefined],
  ["readiness", ({ readiness }) => readiness?.verdict],
];
