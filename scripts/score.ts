import {
  encodePairs,
  loadModels,
  loadTriplets,
  type PairSums,
  scorePairs,
  UserError,
} from "../mod.ts";
import { formatCount } from "../lib/format_count.ts";
import { formatPercent } from "./cli/format.ts";
import { encoderOf, noteReport } from "./cli/note_data.ts";
import { printOrWrite, tryOutput } from "./cli/print_or_write.ts";
import { whyNoRow } from "../lib/train/rows_origin.ts";
import { runScript } from "./cli/run_script.ts";
import { backendFlags, modelFlags } from "./cli/train_flags.ts";

await runScript({
  name: "score",
  summary:
    "Gives the summed log-probabilities of chosen and rejected answers, a JSON line a pair: " +
    "of the model with its adapter and of the reference under it.",
  examples: [
    "--model_path models/sft_specialist/final_model --file phase2_data/dpo/val_dpo.jsonl",
    "--adapter_path models/dpo_hallucination_resistant/final_model " +
    "--file phase2_data/dpo/val_dpo.jsonl --output models/scores.jsonl",
  ],
  flags: {
    ...modelFlags,
    file: { type: "string", value: "FILE", required: true, help: "Triplets, JSONL" },
    output: { type: "string", value: "FILE", help: "Where the lines go (default: stdout)" },
    batch_size: { type: "integer", min: 1, default: 4, help: "Pairs in memory at once" },
    max_length: { type: "integer", min: 2, default: 1024, help: "Most tokens of a row" },
    skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
    ...backendFlags,
  },
  async main(flags, io) {
    await tryOutput(flags.output, flags.file);
    const triplets = await loadTriplets(flags.file, {
      skipInvalid: flags.skip_invalid,
      onReport: (report) => noteReport(report, io),
    });
    using models = await loadModels({
      modelPath: flags.model_path,
      adapterPath: flags.adapter_path,
      backend: flags.backend,
    });
    const encoded = encoderOf(encodePairs, flags, io)(models.tokenizer, triplets);
    const { rows } = encoded;
    if (rows.length === 0) {
      throw new UserError(`Cannot score "${flags.file}": no row is left${whyNoRow(encoded)}`);
    }
    const score = async (adapter: boolean, label: string) => {
      const progress = io.progress({ label, total: rows.length, unit: "pairs" });
      const onProgress = (done: number) => progress.update({ done });
      const options = { batchSize: flags.batch_size, signal: io.signal, onProgress };
      const scores = await scorePairs(models, rows, { ...options, adapter });
      progress.end();
      return scores;
    };
    io.note(`The reference is ${models.source.path}`);
    const reference = await score(false, "Reference");
    const policy = flags.adapter_path === undefined ? reference : await score(true, "Policy");
    const lines = rows.map(({ index, chosen, rejected }, i) =>
      JSON.stringify({
        index,
        logps_chosen: policy.chosen[i],
        logps_rejected: policy.rejected[i],
        ref_logps_chosen: reference.chosen[i],
        ref_logps_rejected: reference.rejected[i],
        tokens_chosen: chosen.length,
        tokens_rejected: rejected.length,
      })
    );
    await printOrWrite(lines, flags.output, io);
    io.note(inWords(policy, flags.adapter_path === undefined ? null : reference));
  },
});

/** What the lines say, in a sentence: of the model alone, or of the policy beside its reference. */
function inWords(policy: PairSums, reference: PairSums | null): string {
  const margins = [...policy.chosen].map((chosen, i) =>
    chosen - policy.rejected[i] -
    (reference ? reference.chosen[i] - reference.rejected[i] : 0)
  );
  const wins = margins.filter((margin) => margin > 0).length;
  const mean = margins.reduce((sum, margin) => sum + margin, 0) / margins.length;
  const who = reference
    ? "The policy prefers the chosen answer more than its reference does"
    : "The model finds the chosen answer likelier";
  return `${who} in ${wins} of ${formatCount(margins.length, "pair")} ` +
    `(${formatPercent(wins / margins.length)}), by ${Number(mean.toPrecision(2))} nats on average.`;
}
