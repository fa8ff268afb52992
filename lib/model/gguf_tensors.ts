import { UserError } from "../errors.ts";
import type { GgufSource } from "../io/gguf.ts";
import {
  type ReadRequest,
  rowLength,
  type TensorEntry,
  tensorSource,
} from "../io/tensor_source.ts";
import type { TensorSource } from "../types.ts";
import { ggufName, hfName, type TensorName } from "./gguf_names.ts";
import { ROPE_FACTORS } from "./gguf_rope.ts";
import type { FamilyName } from "./model_config.ts";

/** A GGUF file's tensors under Hugging Face's names, laid out as Hugging Face's are. */
export function tensorsFromGguf(source: GgufSource, path: string): TensorSource {
  const { metadata } = source, architecture = metadata["general.architecture"] as string;
  const all = metadata[`${architecture}.attention.head_count`];
  const weights = source.names().filter((name) => name !== ROPE_FACTORS); // the config says those
  const renamed = new Map(
    weights.map((name) => {
      const target = hfName(name, architecture);
      if (target) return [name, target];
      throw new UserError(
        `Cannot open the model at "${path}": a plain ${architecture} has no tensor "${name}"`,
        { path, field: name },
      );
    }),
  );
  const headsOf = (key: string) => (metadata[`${architecture}.${key}`] ?? all) as number;
  return renamedTensors(source, { path, renamed, headsOf, way: fromGguf });
}

export type TensorsToGgufOptions = {
  architecture: string;
  family: FamilyName;
  /** The model, for messages. */
  path: string;
  /** Names of the weights that the model is made of; nothing else is taken over. */
  names: string[];
  /** GGUF metadata without the architecture's prefix: here are the numbers of heads. */
  headsOf: (key: string) => number;
  /** What each pair's angle is divided by, where positions are stretched unevenly. */
  ropeFactors?: Float32Array;
};

/** A model's weights under GGUF's names, laid out as llama.cpp's are. */
export function tensorsToGguf(
  source: TensorSource,
  { architecture, family, path, names, headsOf, ropeFactors }: TensorsToGgufOptions,
): TensorSource {
  const renamed = new Map(names.map((name) => {
    const target = ggufName(name, family);
    if (target) return [name, target];
    const reason = `GGUF's ${architecture} has no place for tensor "${name}"`;
    throw new UserError(`Cannot write "${path}" as GGUF: ${reason}`, { path, field: name });
  }));
  return renamedTensors(source, { path, renamed, headsOf, way: toGguf, ropeFactors });
}

/** One way between the two layouts. */
type Way = {
  /** Where row `row` of a head of `rows` goes. */
  moved: (row: number, rows: number) => number;
  /** What is added to a norm that multiplies by one more than its weight. */
  shift: number;
};

/**
 * llama.cpp has the two rotary halves of a head in turns, Hugging Face one after the other: row
 * `2 i + half` is row `half * D/2 + i`.
 *
 * **Source**: `LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`.
 */
const fromGguf: Way = {
  moved: (row, rows) => (row % 2) * (rows / 2) + Math.floor(row / 2),
  shift: -1,
};
const toGguf: Way = {
  moved: (row, rows) => 2 * (row % (rows / 2)) + Math.floor(2 * row / rows),
  shift: 1,
};

type Entry = TensorEntry & { read: (request: ReadRequest) => Promise<Float32Array> };

function renamedTensors(source: TensorSource, { path, renamed, headsOf, way, ropeFactors }: {
  path: string;
  renamed: Map<string, TensorName>;
  headsOf: (key: string) => number;
  way: Way;
  ropeFactors?: Float32Array;
}): TensorSource {
  const entries = new Map<string, Entry>(), transposed = readTransposed(source);
  if (ropeFactors) {
    const read = async ({ rows }: ReadRequest) =>
      await Promise.resolve(ropeFactors.slice(rows.first, rows.end));
    entries.set(ROPE_FACTORS, { shape: [ropeFactors.length], dtype: "F32", read });
  }
  for (const [own, { name, change }] of renamed) {
    const shape = source.shape(own), dtype = source.dtype(own);
    switch (change?.kind) {
      case undefined:
        entries.set(name, {
          shape,
          dtype,
          read: ({ rows, buffer }) => source.read(own, buffer, rows),
        });
        break;
      case "interleaved": {
        const headRows = headRowsOf(shape, headsOf(change.headsKey), { path, own });
        const read = ({ rows }: ReadRequest) => readHeads(source, { own, rows, headRows, way });
        entries.set(name, { shape, dtype, read });
        break;
      }
      case "plus_one": {
        const read = async ({ rows }: ReadRequest) =>
          (await source.read(own, undefined, rows)).map((weight) => weight + way.shift);
        entries.set(name, { shape, dtype, read });
        break;
      }
      case "transposed":
        entries.set(name, {
          shape: shape.toReversed(),
          dtype,
          read: ({ rows }) => transposed(own, rows),
        });
    }
  }
  return tensorSource(path, entries, {
    read: (entry, request) => entry.read(request),
    close: source.close,
  });
}

function headRowsOf(
  shape: number[],
  heads: number,
  { path, own }: { path: string; own: string },
): number {
  if (shape[0] % (2 * heads) === 0) return shape[0] / heads;
  throw new UserError(
    `Cannot open the model at "${path}": tensor "${own}" [${shape}] doesn't split into ` +
      `${heads} heads`,
    { path, field: own },
  );
}

/** Rows change places within their head, so whole heads are read. */
async function readHeads(source: TensorSource, { own, rows, headRows, way }: {
  own: string;
  rows: ReadRequest["rows"];
  headRows: number;
  way: Way;
}): Promise<Float32Array> {
  const first = Math.floor(rows.first / headRows) * headRows;
  const end = Math.ceil(rows.end / headRows) * headRows;
  const values = await source.read(own, undefined, { first, end });
  const width = rowLength(source.shape(own)), result = new Float32Array(values.length);
  for (let row = 0; row < end - first; row++) {
    const inHead = row % headRows, target = row - inHead + way.moved(inHead, headRows);
    result.set(values.subarray(row * width, (row + 1) * width), target * width);
  }
  return result.subarray((rows.first - first) * width, (rows.end - first) * width);
}

/** A row of the transposed matrix needs all rows, so the last matrix is kept between reads. */
function readTransposed(source: TensorSource) {
  let last: { own: string; values: Float32Array } | undefined;
  return async (own: string, rows: ReadRequest["rows"]): Promise<Float32Array> => {
    const [height, width] = source.shape(own);
    if (last?.own !== own) {
      last = undefined; // before the next is read: one at a time
      last = { own, values: transpose(await source.read(own), [height, width]) };
    }
    return last.values.slice(rows.first * height, rows.end * height);
  };
}

function transpose(values: Float32Array, [height, width]: [number, number]): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      result[column * height + row] = values[row * width + column];
    }
  }
  return result;
}
