import {
  type HallucinationResult,
  type HallucinationSums,
  loadSourceTexts,
  measureHallucination,
  sumHallucination,
} from "../mod.ts";
import { formatCount } from "../lib/format_count.ts";
import { noteReport } from "./cli/note_data.ts";
import { printOrWrite, tryOutput } from "./cli/print_or_write.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "measure_hallucination",
  summary:
    "Finds the details of texts (numbers, doses, dates, durations, ages, sex, sides, drugs, " +
    "diagnoses, negations, other words) that their sources don't bear out. A JSON line a row; the " +
    "sums as a table, on stderr where the lines are on stdout.",
  examples: [
    "--file models/written.jsonl",
    "--file models/written.jsonl --output models/measured.jsonl",
    "--file models/written.jsonl --json",
  ],
  flags: {
    file: {
      type: "string",
      value: "FILE",
      required: true,
      help: 'Rows with "source", "text" and, for recall, "reference", JSONL',
    },
    output: { type: "string", value: "FILE", help: "Where the lines go (default: stdout)" },
    skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
    json: { type: "boolean", help: "Prints the sums as JSON, and lines to --output only" },
  },
  async main(flags, io) {
    await tryOutput(flags.output, flags.file);
    const rows = await loadSourceTexts(flags.file, {
      skipInvalid: flags.skip_invalid,
      onReport: (report) => noteReport(report, io),
    });
    const progress = io.progress({ label: "Texts", total: rows.length, unit: "texts" });
    const results = rows.map(({ text, source, reference }, i) => {
      io.signal.throwIfAborted();
      const result = measureHallucination(text, source, { reference });
      progress.update({ done: i + 1 });
      return result;
    });
    progress.end();
    const sums = sumHallucination(results);
    const prints = flags.output === undefined && !flags.json;
    if (!flags.json || flags.output !== undefined) {
      await printOrWrite(results.map(lineOf), flags.output, io);
    }
    if (flags.json) io.print(JSON.stringify(sumsAsJson(sums)));
    else if (prints) io.note(tableOf(sums));
    else io.print(tableOf(sums));
  },
});

function lineOf({ rate, unsupported, details, recall }: HallucinationResult): string {
  return JSON.stringify({ hallucination_rate: rate, unsupported, details, recall });
}

function sumsAsJson(sums: HallucinationSums) {
  return {
    texts: sums.texts,
    texts_with_hallucination: sums.textsWithHallucination,
    details: sums.details,
    unsupported_details: sums.unsupported,
    hallucination_rate: sums.rate,
    recall: sums.recall,
    by_kind: sums.byKind,
  };
}

/** The sums as people read them; kinds that do not occur are left out. */
function tableOf(sums: HallucinationSums): string {
  const { texts, textsWithHallucination, details, unsupported, recall, byKind } = sums;
  const row = (name: string, all: number, wrong: number) =>
    name.padEnd(12) + String(all).padStart(9) + String(wrong).padStart(13) +
    percent(wrong, all).padStart(9);
  return [
    `${formatCount(texts, "text")}, ${textsWithHallucination} with an unsupported detail ` +
    `(${percent(textsWithHallucination, texts)})`,
    `${"kind".padEnd(12)}${"details".padStart(9)}${"unsupported".padStart(13)}`,
    ...Object.entries(byKind).filter(([, counts]) => counts.details > 0)
      .map(([kind, counts]) => row(kind, counts.details, counts.unsupported)),
    row("all", details, unsupported),
    ...(recall === null ? [] : [`recall of the references' details: ${percent(recall, 1)}`]),
  ].join("\n");
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : `${(100 * part / whole).toFixed(1)} %`;
}
