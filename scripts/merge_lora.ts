import { mergeAdapter, mergeDtypes, UsageError } from "../mod.ts";
import { formatBytes, parseBytes } from "./cli/format.ts";
import { bytesProgress } from "./cli/bytes_progress.ts";
import { runScript } from "./cli/run_script.ts";

await runScript({
  name: "merge_lora",
  summary: "Adds an adapter to its model for good: a Hugging Face folder that needs neither, for " +
    "transformers, vLLM and whatever else reads such folders.",
  examples: [
    "--adapter_path models/dpo_hallucination_resistant/final_model --output_dir models/merged",
    "--model_path models/base.gguf --adapter_path models/dpo/final_model --dtype bfloat16 " +
    "--output_dir models/merged",
  ],
  flags: {
    model_path: {
      type: "string",
      value: "PATH",
      help: "The model under it: a folder or a .gguf file (default: as adapter_config.json says)",
    },
    adapter_path: {
      type: "string",
      value: "PATH",
      required: true,
      help: "The adapter, in PEFT's layout",
    },
    output_dir: {
      type: "string",
      value: "FOLDER",
      required: true,
      help: "Where the model goes; a model that stands there is replaced",
    },
    dtype: {
      type: "choice",
      choices: mergeDtypes,
      default: "keep",
      help: "What weights are stored as; keep: as the model has them",
    },
    max_shard_size: {
      type: "string",
      value: "SIZE",
      default: "5GB",
      help: "Larger weights go into several files: 500MB, 5GB, 2GiB",
    },
    json: { type: "boolean", help: "Prints what was written as JSON" },
  },
  async main(flags, io) {
    const maxShardBytes = parseBytes(flags.max_shard_size);
    if (!maxShardBytes) {
      throw new UsageError(
        `--max_shard_size must be a size such as 500MB or 5GB, found "${flags.max_shard_size}"`,
      );
    }
    const progress = bytesProgress("Merging", io);
    const merged = await mergeAdapter(flags.adapter_path, flags.output_dir, {
      modelPath: flags.model_path,
      dtype: flags.dtype,
      maxShardBytes,
      signal: io.signal,
      onProgress: progress.update,
    });
    progress.end();
    if (flags.json) return io.print(JSON.stringify({ output_dir: flags.output_dir, ...merged }));
    const { modules, basePath, sizeBytes, files } = merged;
    const shards = files.length > 1 ? ` in ${files.length - 1} files` : "";
    io.print(
      `Merged ${modules} layers into ${basePath}\n` +
        `Model saved to ${flags.output_dir} (${formatBytes(sizeBytes)}${shards})`,
    );
  },
});
