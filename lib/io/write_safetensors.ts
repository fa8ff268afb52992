import { join } from "node:path";
import type { TensorSource } from "../types.ts";
import { checkRange } from "./check_range.ts";
import { floatBytes, type FloatType, narrowFloat32 } from "./half.ts";
import { countOf, readInPieces } from "./tensor_source.ts";
import { writeFileAtomic } from "./write_atomic.ts";

/** A tensor to write; its numbers may come in pieces, each only at the moment it is written. */
export type TensorToWrite = {
  shape: number[];
  /** What the file stores; F32 where left out. */
  dtype?: FloatType;
  data: Float32Array | (() => Iterable<Float32Array> | AsyncIterable<Float32Array>);
};
type NamedTensors = Iterable<readonly [string, TensorToWrite]>;

export type WriteSafetensorsOptions = {
  /** Text to keep in the header; `{ format: "pt" }` where left out, as transformers wants it. */
  metadata?: Record<string, string>;
};

/**
 * Writes tensors into a safetensors file, one after the other, the first at a multiple of eight
 * bytes. The file appears complete or not at all.
 *
 * @throws {UserError} Where the file can't be written, or a number doesn't fit into its float16.
 * @throws {RangeError} Where a shape and its data disagree or a name comes twice.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  { metadata = { format: "pt" } }: WriteSafetensorsOptions = {},
): Promise<void> {
  const list = [...tensors];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, tensor] of list) {
    if (Object.hasOwn(header, name)) throw new RangeError(`Tensor "${name}" comes twice`);
    const begin = end, { shape, dtype = "F32" } = tensor;
    end += tensorBytes(tensor);
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  await writeFileAtomic(path, async (write) => {
    await write(head);
    for (const [name, { shape, dtype = "F32", data }] of list) {
      let count = 0;
      for await (const piece of typeof data === "function" ? data() : [data]) {
        checkRange(piece, { dtype, name, path });
        await write(storedAs(dtype, piece));
        count += piece.length;
      }
      if (count !== countOf(shape)) {
        throw new RangeError(`Tensor "${name}" [${shape}] has ${count} numbers`);
      }
    }
  });
}

/** Numbers as a file stores them; float32 is not copied. */
function storedAs(type: FloatType, values: Float32Array): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = new Uint8Array(values.length * floatBytes[type]);
  narrowFloat32(values, { type, into: bytes });
  return bytes;
}

export type WriteShardsOptions = {
  /** How each tensor is stored. */
  dtypeOf: (name: string) => FloatType;
  /** Above so many bytes of tensors a further file is begun; a larger tensor has one of its own. */
  maxShardBytes: number;
  /** Called after every piece that was written. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
};

/**
 * Writes all tensors of a source into a folder as transformers lays them out: `model.safetensors`,
 * or shards with `model.safetensors.index.json`. Some megabytes are in memory at a time.
 *
 * @returns The names of the files that were written, and the bytes of the tensors in them.
 * @throws {UserError} Where a file can't be written, or a number doesn't fit into float16.
 */
export async function writeShardedSafetensors(
  folder: string,
  source: TensorSource,
  { dtypeOf, maxShardBytes, onProgress, signal }: WriteShardsOptions,
): Promise<{ files: string[]; bytes: number }> {
  let doneBytes = 0;
  const tensors = source.names().map((name) => {
    const dtype = dtypeOf(name);
    async function* data() {
      for await (const piece of readInPieces(source, name)) {
        signal?.throwIfAborted();
        yield piece;
        onProgress?.(doneBytes += piece.length * floatBytes[dtype], bytes);
      }
    }
    return [name, { shape: source.shape(name), dtype, data }] as const;
  });
  const shards = splitIntoShards(tensors, maxShardBytes);
  const bytes = tensors.reduce((sum, [, tensor]) => sum + tensorBytes(tensor), 0);
  const number = (value: number) => String(value).padStart(5, "0");
  const files = shards.length === 1
    ? ["model.safetensors"]
    : shards.map((_, i) => `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`);
  for (const [i, shard] of shards.entries()) await writeSafetensors(join(folder, files[i]), shard);
  if (shards.length === 1) return { files, bytes };
  const places = shards.flatMap((shard, i) => shard.map(([name]) => [name, files[i]]));
  const index = { metadata: { total_size: bytes }, weight_map: Object.fromEntries(places) };
  const name = "model.safetensors.index.json";
  await writeFileAtomic(join(folder, name), JSON.stringify(index, null, 2) + "\n");
  return { files: [...files, name], bytes };
}

const tensorBytes = ({ shape, dtype = "F32" }: TensorToWrite) => countOf(shape) * floatBytes[dtype];

function splitIntoShards<T extends readonly [string, TensorToWrite]>(
  tensors: T[],
  maxShardBytes: number,
): T[][] {
  const shards: T[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const own = tensorBytes(tensor[1]);
    if (bytes > 0 && bytes + own > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += own;
  }
  return shards;
}
