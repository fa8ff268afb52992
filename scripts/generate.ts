import {
  type Example,
  generate,
  loadExamples,
  loadModels,
  type ReadReport,
  UsageError,
} from "../mod.ts";
import { noteReport } from "./cli/note_data.ts";
import { printOrWrite, tryOutput } from "./cli/print_or_write.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";
import { backendFlags, modelFlags } from "./cli/train_flags.ts";

await runScript({
  name: "generate",
  summary:
    "Lets a model, with its adapter if one is named, continue a prompt or a file of prompts.",
  examples: [
    "--model_path models/sft_specialist/final_model " +
    "--prompt $'Clinical Note: A 41 year old man has fever.\\n\\nSummary:'",
    "--adapter_path models/dpo_hallucination_resistant/final_model " +
    "--file phase2_data/dpo/val_dpo.jsonl --output models/samples.jsonl",
  ],
  flags: {
    ...modelFlags,
    prompt: { type: "string", help: "What to continue" },
    file: { type: "string", value: "FILE", help: 'Rows with a "prompt", JSONL' },
    num: { type: "integer", min: 1, help: "So many of the file's rows, from its beginning" },
    output: { type: "string", value: "FILE", help: "JSON lines go there (default: stdout)" },
    chat: { type: "boolean", help: "Lays the prompt out by the model's chat template" },
    max_new_tokens: { type: "integer", min: 1, default: 128, help: "Longest answer" },
    temperature: { type: "number", min: 0, default: 0, help: "0 takes the likeliest token" },
    top_p: { type: "number", min: 0, max: 1, default: 1, help: "Draws from the nucleus only" },
    seed: { type: "integer", min: 0, default: 42, help: "Draws at temperature above 0" },
    batch_size: { type: "integer", min: 1, default: 16, help: "Prompts continued together" },
    skip_invalid: { type: "boolean", help: "Leaves bad rows of the file out and counts them" },
    json: { type: "boolean", help: "Prints a JSON line for a single prompt too" },
    ...backendFlags,
  },
  async main(flags, io) {
    if ((flags.prompt === undefined) === (flags.file === undefined)) {
      throw new UsageError("Cannot tell what to continue: wanted one of --prompt and --file");
    }
    await tryOutput(flags.output, flags.file);
    const prompts = flags.file === undefined
      ? [flags.prompt!]
      : (await readPrompts(flags.file, flags, io)).slice(0, flags.num);
    const turns = prompts.map((prompt) =>
      flags.chat && typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt
    );
    using models = await loadModels({
      modelPath: flags.model_path,
      adapterPath: flags.adapter_path,
      backend: flags.backend,
    });
    const progress = turns.length > 1
      ? io.progress({ label: "Writing", total: turns.length, unit: "texts" })
      : null;
    const written = await generate(models, turns, {
      maxNewTokens: flags.max_new_tokens,
      temperature: flags.temperature,
      topP: flags.top_p,
      seed: flags.seed,
      batchSize: flags.batch_size,
      signal: io.signal,
      onWarning: ({ message }) => io.note(message),
      onProgress: (done) => progress?.update({ done }),
    });
    progress?.end();
    const empty = written.filter(({ text }) => text.trim() === "").length;
    if (empty > 0) {
      const which = turns.length === 1
        ? "The answer is"
        : `${empty} of ${turns.length} answers are`;
      io.note(
        `${which} empty: the model ended at once. Does the prompt end as those it was trained on do?`,
      );
    }
    const bare = flags.file === undefined && flags.output === undefined && !flags.json;
    if (bare) return io.print(written[0].text);
    const lines = written.map((row, i) => JSON.stringify({ prompt: prompts[i], ...row }));
    await printOrWrite(lines, flags.output, io);
  },
});

/** The prompts of a file of prompts, triplets or examples: what else a row holds is not read. */
async function readPrompts(
  path: string,
  { skip_invalid: skipInvalid }: { skip_invalid: boolean },
  io: ScriptIo,
): Promise<Example["prompt"][]> {
  const onReport = (report: ReadReport) => noteReport({ ...report, unknownKeys: [] }, io);
  const rows = await loadExamples(path, { completionKey: "prompt", skipInvalid, onReport });
  return rows.map(({ prompt }) => prompt);
}
