import { readTable, saveTriplets, tripletsFromTable } from "../mod.ts";
import { formatCount } from "../lib/format_count.ts";
import { tryOutput } from "./cli/print_or_write.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "make_triplets",
  summary:
    "Makes triplets of texts and what they were written from: the text is chosen, the same " +
    "with one clinical detail wrong (number, dose, unit, side, negation, sex, duration, drug) is " +
    "rejected. Fields kind, before and after tell which.",
  examples: [
    "--source notes.csv --prompt_column dialogue --chosen_column section_text " +
    "--output phase2_data/dpo/notes.jsonl",
    '--source notes.jsonl --instruction "Write the discharge letter." --num 500 --seed 7 ' +
    "--output phase2_data/dpo/letters.jsonl",
  ],
  flags: {
    source: {
      type: "string",
      value: "FILE",
      required: true,
      help: "A .csv with a header, or .jsonl",
    },
    prompt_column: {
      type: "string",
      value: "NAME",
      default: "prompt",
      help: "Column of what the texts were written from",
    },
    chosen_column: {
      type: "string",
      value: "NAME",
      default: "chosen",
      help: "Column of the texts",
    },
    instruction: {
      type: "string",
      default: "Summarize this as a clinical note.",
      help: "What the model is asked to do; begins each prompt",
    },
    output: { type: "string", value: "FILE", required: true, help: "Where the triplets go, JSONL" },
    num: { type: "integer", min: 1, help: "Most triplets to make (default: one of each row)" },
    seed: { type: "integer", default: 42, help: "Decides which details change, and into what" },
    json: { type: "boolean", help: "Prints the counts as JSON" },
  },
  async main(flags, io) {
    await tryOutput(flags.output, flags.source);
    const { triplets, withoutText, withoutDetail } = tripletsFromTable(
      await readTable(flags.source),
      {
        promptColumn: flags.prompt_column,
        chosenColumn: flags.chosen_column,
        instruction: flags.instruction,
        limit: flags.num,
        seed: flags.seed,
      },
    );
    await saveTriplets(flags.output, triplets);
    const groups = Map.groupBy(triplets, ({ kind }) => kind);
    const kinds = [...groups].map(([kind, { length }]): [string, number] => [kind, length])
      .toSorted((a, b) => b[1] - a[1]);
    if (flags.json) {
      const byKind = Object.fromEntries(kinds);
      return io.print(JSON.stringify({
        output: flags.output,
        triplets: triplets.length,
        by_kind: byKind,
        without_text: withoutText,
        without_detail: withoutDetail,
      }));
    }
    io.print(`${formatCount(triplets.length, "triplet")} in ${flags.output}`);
    for (const [kind, count] of kinds) io.print(`${kind.padEnd(10)}${String(count).padStart(6)}`);
    if (withoutDetail > 0) {
      io.note(`${formatCount(withoutDetail, "row")} left out: no detail to change for certain`);
    }
    if (withoutText > 0) {
      io.note(`${formatCount(withoutText, "row")} left out: no text in a column`);
    }
  },
});
