import { UserError } from "../errors.ts";
import type { GgufSource } from "../io/gguf.ts";
import { rowLength, type TensorEntry, tensorSource } from "../io/tensor_source.ts";
import type { TensorSource } from "../types.ts";
import { ggufName, hfName, type TensorName } from "./gguf_names.ts";

/** A GGUF file's tensors under Hugging Face's names, rows in Hugging Face's order. */
export function tensorsFromGguf(source: GgufSource, path: string): TensorSource {
  const { metadata } = source, architecture = metadata["general.architecture"] as string;
  const all = metadata[`${architecture}.attention.head_count`];
  const renamed = new Map(
    source.names().map((name) => {
      const target = hfName(name, architecture);
      if (target) return [name, target];
      throw new UserError(
        `Cannot open the model at "${path}": a plain ${architecture} has no tensor "${name}"`,
        { path, field: name },
      );
    }),
  );
  const headsOf = (key: string) => (metadata[`${architecture}.${key}`] ?? all) as number;
  return renamedTensors(source, { path, renamed, headsOf, moved: rowInHalves });
}

export type TensorsToGgufOptions = {
  architecture: string;
  /** The model, for messages. */
  path: string;
  /** Names of the weights that the model is made of; nothing else is taken over. */
  names: string[];
  /** GGUF metadata without the architecture's prefix: here are the numbers of heads. */
  headsOf: (key: string) => number;
};

/** A model's weights under GGUF's names, rows in llama.cpp's order. */
export function tensorsToGguf(
  source: TensorSource,
  { architecture, path, names, headsOf }: TensorsToGgufOptions,
): TensorSource {
  const renamed = new Map(names.map((name) => {
    const target = ggufName(name, architecture);
    if (target) return [name, target];
    const reason = `GGUF's ${architecture} has no place for tensor "${name}"`;
    throw new UserError(`Cannot write "${path}" as GGUF: ${reason}`, { path, field: name });
  }));
  return renamedTensors(source, { path, renamed, headsOf, moved: rowInTurns });
}

/** Where row `row` of a head of `rows` goes. */
type Moved = (row: number, rows: number) => number;

/**
 * llama.cpp has the two rotary halves of a head in turns, Hugging Face one after the other: row
 * `2 i + half` is row `half * D/2 + i`.
 *
 * **Source**: `LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`.
 */
const rowInHalves: Moved = (row, rows) => (row % 2) * (rows / 2) + Math.floor(row / 2);
const rowInTurns: Moved = (row, rows) => 2 * (row % (rows / 2)) + Math.floor(2 * row / rows);

function renamedTensors(source: TensorSource, { path, renamed, headsOf, moved }: {
  path: string;
  renamed: Map<string, TensorName>;
  headsOf: (key: string) => number;
  moved: Moved;
}): TensorSource {
  const entries = new Map<string, TensorEntry & { own: string; headRows?: number }>();
  for (const [own, { name, headsKey }] of renamed) {
    const shape = source.shape(own), heads = headsKey && headsOf(headsKey);
    if (heads !== undefined && shape[0] % (2 * heads) !== 0) {
      throw new UserError(
        `Cannot open the model at "${path}": tensor "${own}" [${shape}] doesn't split into ` +
          `${heads} heads`,
        { path, field: own },
      );
    }
    const headRows = heads && shape[0] / heads;
    entries.set(name, { shape, dtype: source.dtype(own), own, headRows });
  }
  return tensorSource(path, entries, {
    read: async ({ own, headRows, shape }, { buffer, rows }) => {
      if (headRows === undefined) return await source.read(own, buffer, rows);
      // Rows change places within their head, so whole heads are read.
      const first = Math.floor(rows.first / headRows) * headRows;
      const end = Math.ceil(rows.end / headRows) * headRows;
      const values = await source.read(own, undefined, { first, end });
      const width = rowLength(shape), result = new Float32Array(values.length);
      for (let row = 0; row < end - first; row++) {
        const inHead = row % headRows, target = row - inHead + moved(inHead, headRows);
        result.set(values.subarray(row * width, (row + 1) * width), target * width);
      }
      return result.subarray((rows.first - first) * width, (rows.end - first) * width);
    },
    close: source.close,
  });
}
