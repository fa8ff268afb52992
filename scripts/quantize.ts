import {
  compareQuantized,
  compareQuantizedTexts,
  describeModel,
  encodePairs,
  type Estimated,
  loadTriplets,
  quantize,
  type Quantized,
  type QuantizedComparison,
  type QuantizedTexts,
  quantTypeOfBits,
  quantTypes,
  UsageError,
  UserError,
} from "../mod.ts";
import { formatCount } from "../lib/format_count.ts";
import { whyNoRow } from "../lib/train/rows_origin.ts";
import { formatBytes, formatPercent } from "./cli/format.ts";
import { encoderOf, noteReport } from "./cli/note_data.ts";
import { tryOutput } from "./cli/print_or_write.ts";
import { bytesProgress } from "./cli/bytes_progress.ts";
import type { Progress } from "./cli/progress.ts";
import { runScript } from "./cli/run_script.ts";
import { backendFlags, writingFlags } from "./cli/train_flags.ts";

await runScript({
  name: "quantize",
  summary: "Writes a model as one GGUF file, at 16, 8 or about 4 bits a weight, for llama.cpp, " +
    "Ollama and whatever else reads GGUF; says on request what that cost.",
  examples: [
    "--model_path models/merged --bits 8 --output models/model.gguf",
    "--model_path models/dpo_hallucination_resistant/final_model --type q4_0 " +
    "--output models/model.gguf --compare_file phase2_data/dpo/val_dpo.jsonl",
  ],
  flags: {
    model_path: {
      type: "string",
      value: "PATH",
      required: true,
      help: "A model folder, an adapter folder (it is merged) or a .gguf file",
    },
    output: { type: "string", value: "FILE", required: true, help: "The .gguf file" },
    type: { type: "choice", choices: quantTypes, help: "llama.cpp's name of the formats" },
    bits: {
      type: "choice",
      choices: ["8", "4"],
      help: "8 is q8_0; 4 is q4_k_m, or q4_0 where its blocks don't fit",
    },
    pure: {
      type: "boolean",
      help: "Every matrix in that one format, the head too: smaller, less accurate",
    },
    compare_file: {
      type: "string",
      value: "FILE",
      help: "Triplets, JSONL, that the model wasn't trained on: both models judge them, and both " +
        "write for their prompts",
    },
    samples: {
      type: "integer",
      min: 1,
      default: 100,
      help: "Writes for so many of that file's different prompts",
    },
    ...writingFlags,
    batch_size: { type: "integer", min: 1, default: 4, help: "Pairs in memory at once" },
    max_length: { type: "integer", min: 2, default: 1024, help: "Most tokens of a row" },
    skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
    json: { type: "boolean", help: "Prints what was written and what it cost as JSON" },
    ...backendFlags,
  },
  async main(flags, io) {
    if ((flags.type === undefined) === (flags.bits === undefined)) {
      throw new UsageError("Cannot tell what to write: wanted one of --type and --bits");
    }
    if (!flags.output.endsWith(".gguf")) {
      throw new UsageError(`--output must end in .gguf, found "${flags.output}"`);
    }
    await tryOutput(flags.output, flags.model_path);
    const type = flags.type ??
      quantTypeOfBits(flags.bits === "8" ? 8 : 4, (await describeModel(flags.model_path)).config);
    const triplets = flags.compare_file === undefined
      ? null
      : await loadTriplets(flags.compare_file, {
        skipInvalid: flags.skip_invalid,
        onReport: (report) => noteReport(report, io),
      });
    const progress = bytesProgress("Writing", io);
    const made = await quantize(flags.model_path, flags.output, {
      type,
      pure: flags.pure,
      signal: io.signal,
      onProgress: progress.update,
    });
    progress.end();
    if (!flags.json) io.print(inWords(made, flags.output));
    const compared = triplets && await compareQuantized(flags.model_path, {
      quantizedPath: flags.output,
      encode(tokenizer) {
        const encoded = encoderOf(encodePairs, flags, io)(tokenizer, triplets);
        if (encoded.rows.length > 0) return encoded.rows;
        const why = whyNoRow(encoded);
        throw new UserError(`Cannot compare on "${flags.compare_file}": no row is left${why}`);
      },
      backend: flags.backend,
      batchSize: flags.batch_size,
      signal: io.signal,
    });
    let shown: Progress | undefined;
    const texts = triplets && await compareQuantizedTexts(flags.model_path, triplets, {
      quantizedPath: flags.output,
      samples: flags.samples,
      maxNewTokens: flags.max_new_tokens,
      temperature: flags.temperature,
      seed: flags.seed,
      backend: flags.backend,
      signal: io.signal,
      onProgress(done, total) {
        shown ??= io.progress({ label: "Both write", total, unit: "texts" });
        shown.update({ done });
      },
    }).finally(() => shown?.end());
    if (flags.json) {
      io.print(JSON.stringify({ output: flags.output, ...made, comparison: compared, texts }));
    } else if (compared && texts) {
      io.print(comparisonInWords(compared));
      io.print(textsInWords(texts));
    }
  },
});

function inWords(made: Quantized, output: string): string {
  const { fileBytes, weightBytes, float32Bytes, formats, fallbacks } = made;
  const smaller = (float32Bytes / weightBytes).toFixed(1);
  const stored = Object.entries(formats).map(([format, count]) => `${count} ${format}`).join(", ");
  const lines = [
    `Model saved to ${output} (${formatBytes(fileBytes)}; ` +
    `weights ${smaller} times smaller than float32)`,
    `Tensors: ${stored}`,
  ];
  const { contextLength, modelContextLength } = made;
  if (contextLength < modelContextLength) {
    lines.push(
      `Its context is ${contextLength} tokens, not ${modelContextLength}: beyond them the model's ` +
        "attention has a window, which this kind of GGUF file has no word for",
    );
  }
  if (fallbacks.length > 0) {
    const [{ tensor, columns, wanted, used }] = fallbacks;
    lines.push(
      `${formatCount(fallbacks.length, "tensor")} fell back, for rows don't divide into blocks: ` +
        `${tensor} with rows of ${columns} is ${used}, not ${wanted}`,
    );
  }
  return lines.join("\n");
}

function comparisonInWords({ pairs, hasReference, marginKept, ...found }: QuantizedComparison) {
  const { float, quantized, meanChange } = found;
  const row = (label: string, read: (opinion: typeof float) => string) =>
    label.padEnd(24) + read(float).padStart(12) + read(quantized).padStart(12);
  return [
    "",
    `On ${formatCount(pairs, "pair")}`.padEnd(24) + "float".padStart(12) +
    "quantised".padStart(12),
    row("Loss of a chosen token", ({ loss }) => loss.toFixed(4)),
    row(
      hasReference ? "Margin over reference" : "Margin",
      ({ margin }) => margin.toFixed(3),
    ),
    row("Chosen Preference", ({ preferred }) => formatPercent(preferred)),
    marginKept === null
      ? "The float model has no margin to keep."
      : `Margin kept: ${(100 * marginKept).toFixed(1)}%`,
    `An answer's log-probability changed by ${meanChange.toPrecision(2)} nats on average.`,
  ].join("\n");
}

function textsInWords(
  { prompts, sameTexts, float, quantized, difference }: QuantizedTexts,
): string {
  const cell = ({ value, interval }: Estimated) => {
    const percent = (share: number) => Number((100 * share).toFixed(1)).toFixed(1); // no -0.0
    return value === null ? "none" : `${percent(value)} (${interval!.map(percent).join(",")})`;
  };
  const row = (label: string, key: keyof typeof difference) =>
    label.padEnd(24) +
    [float, quantized, difference].map((scores) => cell(scores[key]).padStart(18)).join("");
  return [
    "",
    `Texts for ${formatCount(prompts, "prompt")}`.padEnd(24) +
    ["float", "quantised", "difference"].map((name) => name.padStart(18)).join(""),
    row("Unsupported details, %", "hallucinationRate"),
    row("Texts with one, %", "notesWithHallucination"),
    `In brackets 95% intervals. Of ${formatPercent(sameTexts)} of the prompts both wrote the same.`,
  ].join("\n");
}
