import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { TensorSource } from "../types.ts";
import { type ByteFile, openByteFile } from "./byte_file.ts";
import { floatBytes, type FloatType, widenToFloat32 } from "./half.ts";
import { readJsonFile } from "./read_json.ts";
import { readSafetensorsHeader, type SafetensorsEntry } from "./safetensors_header.ts";
import { roomFor, tensorSource } from "./tensor_source.ts";
import { writeFileAtomic } from "./write_atomic.ts";

const CHUNK_BYTES = 2 ** 23;

const SHARD = "must name a file of the same folder";
const SHARDS = "must map tensor names to files";
/** What is read of a `model.safetensors.index.json`. */
const indexSchema = z.object({
  weight_map: z.record(z.string(), z.string(SHARD).regex(/^[^/\\]+$/, SHARD), SHARDS)
    .refine((map) => Object.keys(map).length > 0, SHARDS),
});

/** A tensor whose numbers may be fetched only at the moment they are written. */
export type LazyTensor = {
  shape: number[];
  data: Float32Array | (() => Float32Array | Promise<Float32Array>);
};
export type WriteSafetensorsOptions = {
  /** Text to keep in the header; `{ format: "pt" }` where left out, as transformers wants it. */
  metadata?: Record<string, string>;
};

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
 * import { openSafetensors, writeSafetensors } from "./safetensors.ts";
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
      const read = (entry: SafetensorsEntry, name: string, buffer?: ArrayBuffer) =>
        readTensor(file, { entry, name, buffer });
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
    const entries = new Map<string, { shape: number[]; shard: TensorSource }>();
    for (const [name, file] of await readWeightMap(path)) {
      const shard = shards.get(file)!;
      if (!shard.has(name)) {
        const reason = `it places tensor "${name}" in "${file}", which has no such tensor`;
        throw new UserError(`Cannot use "${path}": ${reason}`, { path, field: name });
      }
      entries.set(name, { shape: shard.shape(name), shard });
    }
    return tensorSource(path, entries, {
      read: ({ shard }, name, buffer) => shard.read(name, buffer),
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

/**
 * Writes tensors as float32 into a safetensors file, one after the other, the first at a multiple of
 * eight bytes. The file appears complete or not at all.
 *
 * @throws {UserError} Where the file can't be written.
 * @throws {RangeError} Where a shape and its data disagree or a name comes twice.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, LazyTensor]>,
  { metadata = { format: "pt" } }: WriteSafetensorsOptions = {},
): Promise<void> {
  const list = [...tensors];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape }] of list) {
    if (Object.hasOwn(header, name)) throw new RangeError(`Tensor "${name}" comes twice`);
    const begin = end;
    end += 4 * product(shape);
    header[name] = { dtype: "F32", shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  await writeFileAtomic(path, async (write) => {
    await write(head);
    for (const [name, { shape, data }] of list) {
      const numbers = typeof data === "function" ? await data() : data;
      if (numbers.length !== product(shape)) {
        throw new RangeError(`Tensor "${name}" [${shape}] has ${numbers.length} numbers`);
      }
      await write(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    }
  });
}

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

function readTensor(
  file: ByteFile,
  { entry, name, buffer }: { entry: SafetensorsEntry; name: string; buffer?: ArrayBuffer },
): Float32Array {
  const { dtype, shape, start, end } = entry;
  if (!Object.hasOwn(floatBytes, dtype)) {
    const wanted = `wanted ${Object.keys(floatBytes).join(", ")}`;
    const message = `Cannot read "${file.path}": tensor "${name}" is ${dtype}, ${wanted}`;
    throw new UserError(message, { path: file.path, field: name });
  }
  const type = dtype as FloatType;
  const values = roomFor(product(shape), buffer);
  if (type === "F32") {
    file.readInto(new Uint8Array(values.buffer, 0, values.byteLength), start);
    return values;
  }
  for (let offset = start; offset < end; offset += CHUNK_BYTES) {
    const bytes = file.read(offset, Math.min(CHUNK_BYTES, end - offset));
    const first = (offset - start) / floatBytes[type];
    const into = values.subarray(first, first + bytes.length / floatBytes[type]);
    widenToFloat32(bytes, { type, into });
  }
  return values;
}

async function readWeightMap(path: string): Promise<Map<string, string>> {
  const { weight_map: weightMap } = await readJsonFile(path, indexSchema);
  return new Map(Object.entries(weightMap));
}
