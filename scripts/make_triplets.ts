import { readTable, saveTriplets, type TableTriplets, tripletsFromTable } from "../mod.ts";
import { percent } from "../lib/evaluate/figures.ts";
import { formatCount } from "../lib/format_count.ts";
import { tryOutput } from "./cli/print_or_write.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "make_triplets",
  summary:
    "Makes triplets of texts and what they were written from: the text is chosen, the same " +
    "with one clinical detail wrong (a number, dose, date, side, drug, diagnosis, denial, ...) is " +
    "rejected, if the hallucination meter agrees that it is wrong. Fields kind, before and after " +
    "tell which.",
  examples: [
    "--source notes.csv --prompt_column dialogue --chosen_column section_text " +
    "--output phase2_data/dpo/notes.jsonl",
    '--source notes.jsonl --instruction "Write the discharge letter." --num 500 --seed 7 ' +
    "--output phase2_data/dpo/letters.jsonl",
    "--source notes.parquet --prompt_column dialogue --chosen_column note --negatives 3 " +
    "--output phase2_data/dpo/notes.jsonl",
  ],
  flags: {
    source: {
      type: "string",
      value: "FILE",
      required: true,
      help: "A table: .csv or .tsv with a header, .jsonl, a .json list, or .parquet",
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
    num: { type: "integer", min: 1, help: "Most triplets to make (default: of every row)" },
    negatives: {
      type: "integer",
      min: 1,
      max: 20,
      default: 1,
      help: "Most triplets of one row, of different kinds as far as there are any",
    },
    max_length_difference: {
      type: "number",
      min: 0,
      default: 0.25,
      help: "Most characters more or less in rejected, as a share of chosen",
    },
    min_similarity: {
      type: "number",
      min: 0,
      max: 1,
      default: 0.5,
      help: "Least likeness of a pair's texts: 1 - edits / characters of the longer",
    },
    seed: {
      type: "integer",
      min: 0,
      default: 42,
      help: "Decides which details change, and into what",
    },
    json: { type: "boolean", help: "Prints the counts as JSON" },
  },
  async main(flags, io) {
    await tryOutput(flags.output, flags.source);
    const { triplets, ...made } = tripletsFromTable(await readTable(flags.source), {
      promptColumn: flags.prompt_column,
      chosenColumn: flags.chosen_column,
      instruction: flags.instruction,
      limit: flags.num,
      seed: flags.seed,
      negatives: flags.negatives,
      maxLengthDifference: flags.max_length_difference,
      minSimilarity: flags.min_similarity,
    });
    await saveTriplets(flags.output, triplets);
    const groups = Map.groupBy(triplets, ({ kind }) => kind);
    const kinds = [...groups].map(([kind, { length }]): [string, number] => [kind, length])
      .toSorted((a, b) => b[1] - a[1]);
    if (flags.json) {
      return io.print(JSON.stringify({
        output: flags.output,
        triplets: triplets.length,
        by_kind: Object.fromEntries(kinds),
        rows: made.rows,
        without_text: made.withoutText,
        repeated: made.repeated,
        without_detail: made.withoutDetail,
        dropped: {
          baseless: made.dropped.baseless,
          maybe_true: made.dropped.maybeTrue,
          length: made.dropped.length,
          similarity: made.dropped.similarity,
        },
        length_difference: made.lengthDifference,
        similarity: made.similarity,
      }));
    }
    const of = flags.negatives > 1 ? ` of ${formatCount(made.rows, "row")}` : "";
    io.print(`${formatCount(triplets.length, "triplet")}${of} in ${flags.output}`);
    for (const [kind, count] of kinds) io.print(`${kind.padEnd(10)}${String(count).padStart(6)}`);
    io.print(
      `Rejected texts are ${percent(Math.abs(made.lengthDifference))} ` +
        `${made.lengthDifference < 0 ? "shorter" : "longer"} than chosen ones on average, and ` +
        `${percent(made.similarity)} alike.`,
    );
    for (const [count, noun, reason] of leftOut(made)) {
      if (count > 0) io.note(`${formatCount(count, noun)} left out: ${reason}`);
    }
  },
});

type LeftOut = Omit<TableTriplets, "triplets">;

/** What gave no triplet, and why. */
function leftOut({ dropped, ...rows }: LeftOut): [count: number, noun: string, reason: string][] {
  return [
    [rows.withoutDetail, "row", "no detail to change for certain"],
    [rows.withoutText, "row", "no text in a column"],
    [rows.repeated, "row", "the same as one before"],
    [dropped.baseless, "change", "of a detail that the row's prompt doesn't state"],
    [dropped.maybeTrue, "change", "it may be true, as the meter reads the prompt"],
    [dropped.length, "change", "too different in length (--max_length_difference)"],
    [dropped.similarity, "change", "too little alike (--min_similarity)"],
  ];
}
