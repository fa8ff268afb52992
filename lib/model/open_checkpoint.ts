import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "../io/file_error.ts";
import { openGguf } from "../io/gguf.ts";
import { readJsonObject } from "../io/read_json.ts";
import { openShardedSafetensors, weightFiles } from "../io/safetensors.ts";
import { sha256File } from "../io/sha256_file.ts";
import type { TensorSource } from "../types.ts";
import { ggufConfig } from "./gguf_config.ts";
import { GGUF_ARCHITECTURES } from "./gguf_names.ts";
import { ROPE_FACTORS } from "./gguf_rope.ts";
import { tensorsFromGguf } from "./gguf_tensors.ts";

/** A model on disk: what it is, and its weights under Hugging Face's names, read one at a time. */
export type Checkpoint = {
  path: string;
  format: "safetensors" | "gguf";
  /** `config.json` as an object; of a GGUF file, rebuilt from its metadata. */
  config: Record<string, unknown>;
  /** The caller closes it. */
  tensors: TensorSource;
  /** Everything a GGUF file says about itself; its tokenizer is in here. */
  ggufMetadata?: Record<string, unknown>;
  /** SHA-256 of the weights and the config: two checkpoints of one hash give the same logits. */
  hash(): Promise<string>;
};

/**
 * Opens a model: a Hugging Face folder (`config.json` and safetensors, sharded or not) or a `.gguf`
 * file of an architecture of `GGUF_ARCHITECTURES`.
 *
 * **Shapes and dtypes**: tensors are read as float32, `[out, in]` for a matrix. A model whose head is
 * tied to its embedding has no `lm_head.weight`.
 *
 * @throws {UserError} Where nothing that can be opened stands at `path`, or a file in it is damaged.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint } from "./open_checkpoint.ts";
 * await assert.rejects(openCheckpoint("models/missing"), /Cannot open the model at "models\/missing"/);
 * ```
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw fileError(error, { action: "read", path });
    const wanted = "wanted a model folder or a .gguf file; scripts/fetch_model.ts can fetch models";
    throw cannotOpen(path, `there is no such file or folder; ${wanted}`);
  });
  if (isDirectory) return await openFolder(path);
  if (path.endsWith(".gguf")) return await openGgufCheckpoint(path);
  throw cannotOpen(path, "wanted a model folder or a .gguf file, found another file");
}

function cannotOpen(path: string, reason: string): UserError {
  return new UserError(`Cannot open the model at "${path}": ${reason}`, { path });
}

async function openFolder(path: string): Promise<Checkpoint> {
  const names = Array.from(Deno.readDirSync(path), ({ name }) => name);
  if (!names.includes("config.json")) {
    if (names.includes("adapter_config.json")) {
      throw cannotOpen(path, "it is an adapter, wanted the model that it adapts");
    }
    const ggufs = names.filter((name) => name.endsWith(".gguf"));
    const inside = ggufs[0] ?? names.find((name) => name === "final_model");
    const hint = inside === undefined ? "" : `; did you mean "${join(path, inside)}"?`;
    throw cannotOpen(path, `the folder has no config.json${hint}`);
  }
  const configPath = join(path, "config.json");
  const config = await readJsonObject(configPath);
  const hash = async () => {
    const digest = createHash("sha256");
    for (const file of [configPath, ...await weightFiles(path)]) {
      digest.update(`${await sha256File(file)}  ${basename(file)}\n`);
    }
    return digest.digest("hex");
  };
  const tensors = await openShardedSafetensors(path);
  return { path, format: "safetensors", config, tensors, hash: once(hash) };
}

async function openGgufCheckpoint(path: string): Promise<Checkpoint> {
  const source = await openGguf(path);
  try {
    const { metadata } = source;
    const architecture = metadata["general.architecture"];
    if (!Object.hasOwn(GGUF_ARCHITECTURES, architecture as string)) {
      const supported = Object.keys(GGUF_ARCHITECTURES).join(", ");
      const found = `architecture ${JSON.stringify(architecture) ?? "none"}`;
      throw cannotOpen(path, `supported GGUF architectures are ${supported}, found ${found}`);
    }
    const ropeFactors = source.has(ROPE_FACTORS) ? await source.read(ROPE_FACTORS) : undefined;
    const config = ggufConfig(metadata, { path, has: source.has, ropeFactors });
    const tensors = tensorsFromGguf(source, path);
    const hash = once(() => sha256File(path));
    return { path, format: "gguf", config, tensors, ggufMetadata: metadata, hash };
  } catch (error) {
    source.close();
    throw error;
  }
}

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= compute();
}
