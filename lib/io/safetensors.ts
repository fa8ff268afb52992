import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { TensorSource } from "../types.ts";
import { type ByteFile, openByteFile } from "./byte_file.ts";
import { floatBytes, type FloatType, widenToFloat32 } from "./half.ts";
import { readJsonFile } from "./read_json.ts";
import { readSafetensorsHeader, type SafetensorsEntry } from "./safetensors_header.ts";
import {
  type ReadRequest,
  roomFor,
  rowLength,
  type TensorEntry,
  tensorSource,
} from "./tensor_source.ts";

const CHUNK_BYTES = 2 ** 23;

const SHARD = "must name a file of the same folder";
const SHARDS = "must map tensor names to files";
/** What is read of a `model.safetensors.index.json`. */
const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string(SHARD).regex(/^[^/\\]+$/, SHARD), SHARDS)
    .refine((map) => Object.keys(map).length > 0, SHARDS),
});

/**
 * Opens a safetensors file; its header is checked, its tensors are read one by one when asked for.
 *
 * **Shapes and dtypes**: F32, F16 and BF16 become float32; reading another dtype is an error.
 *
 * @throws {UserError} Where the file is missing, damaged or breaks the format's rules.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openSafetensors } from "./safetensors.ts";
 * import { writeSafetensors } from "./write_safetensors.ts";
 * const path = await Deno.makeTempDir() + "/a.safetensors";
 * await writeSafetensors(path, [["w", { shape: [1, 2], data: Float32Array.of(1, 2) }]]);
 * const source = await openSafetensors(path);
 * assert.deepEqual([source.names(), source.shape("w")], [["w"], [1, 2]]);
 * assert.deepEqual(await source.read("w"), Float32Array.of(1, 2));
 * source.close();
 * ```
 */
export function openSafetensors(path: string): Promise<TensorSource> {
  return Promise.try(() => {
    const file = openByteFile(path);
    try {
      const { tensors } = readSafetensorsHeader(file);
      const read = (entry: SafetensorsEntry, request: ReadRequest) =>
        readTensor(file, entry, request);
      return tensorSource(path, tensors, { read, close: () => file.close() });
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

/**
 * Opens the weights of a Hugging Face model folder: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` names.
 *
 * @throws {UserError} Where neither is there, a shard is missing or lacks a tensor of the index.
 */
export async function openShardedSafetensors(folder: string): Promise<TensorSource> {
  const [path, ...shardPaths] = await weightFiles(folder);
  if (shardPaths.length === 0) return await openSafetensors(path);
  const shards = new Map<string, TensorSource>();
  const close = () => shards.forEach((shard) => shard.close());
  try {
    for (const shard of shardPaths) shards.set(basename(shard), await openSafetensors(shard));
    const entries = new Map<string, TensorEntry & { shard: TensorSource }>();
    for (const [name, file] of await readWeightMap(path)) {
      const shard = shards.get(file)!;
      if (!shard.has(name)) {
        const reason = `it places tensor "${name}" in "${file}", which has no such tensor`;
        throw new UserError(`Cannot use "${path}": ${reason}`, { path, field: name });
      }
      entries.set(name, { shape: shard.shape(name), dtype: shard.dtype(name), shard });
    }
    return tensorSource(path, entries, {
      read: ({ shard }, { name, buffer, rows }) => shard.read(name, buffer, rows),
      close,
    });
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Names the files that hold a model folder's weights: `model.safetensors` alone, or the index
 * followed by its shards.
 *
 * @throws {UserError} Where there are none, with what stands there instead.
 */
export async function weightFiles(folder: string): Promise<string[]> {
  const has = (name: string) =>
    Deno.stat(join(folder, name)).then((info) => info.isFile, () => false);
  if (await has("model.safetensors")) return [join(folder, "model.safetensors")];
  if (await has("model.safetensors.index.json")) {
    const index = join(folder, "model.safetensors.index.json");
    const shards = new Set((await readWeightMap(index)).values());
    return [index, ...[...shards].sort().map((name) => join(folder, name))];
  }
  const pickled = await has("pytorch_model.bin") || await has("pytorch_model.bin.index.json");
  const hint = pickled ? "; it holds a pytorch_model.bin: save the model as safetensors" : "";
  const wanted = "wanted model.safetensors or model.safetensors.index.json";
  throw new UserError(`Cannot find weights in "${folder}": ${wanted}${hint}`, { path: folder });
}

function readTensor(
  file: ByteFile,
  { dtype, shape, start }: SafetensorsEntry,
  { name, buffer, rows }: ReadRequest,
): Float32Array {
  if (!Object.hasOwn(floatBytes, dtype)) {
    const wanted = `wanted ${Object.keys(floatBytes).join(", ")}`;
    const message = `Cannot read "${file.path}": tensor "${name}" is ${dtype}, ${wanted}`;
    throw new UserError(message, { path: file.path, field: name });
  }
  const type = dtype as FloatType, width = rowLength(shape) * floatBytes[type];
  const [from, end] = [start + rows.first * width, start + rows.end * width];
  const values = roomFor((end - from) / floatBytes[type], buffer);
  if (type === "F32") {
    file.readInto(new Uint8Array(values.buffer, 0, values.byteLength), from);
    return values;
  }
  for (let offset = from; offset < end; offset += CHUNK_BYTES) {
    const bytes = file.read(offset, Math.min(CHUNK_BYTES, end - offset));
    const first = (offset - from) / floatBytes[type];
    const into = values.subarray(first, first + bytes.length / floatBytes[type]);
    widenToFloat32(bytes, { type, into });
  }
  return values;
}

async function readWeightMap(path: string): Promise<Map<string, string>> {
  const { weight_map: weightMap } = await readJsonFile(path, indexSchema);
  return new Map(Object.entries(weightMap));
}
