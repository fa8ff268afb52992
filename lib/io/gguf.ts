import { UserError } from "../errors.ts";
import type { TensorSource } from "../types.ts";
import { openByteFile } from "./byte_file.ts";
import { type GgufEntry, readGgufHeader } from "./gguf_header.ts";
import { dequantizers } from "./dequantizers.ts";
import { type ReadRequest, roomFor, rowLength, tensorSource } from "./tensor_source.ts";

const CHUNK_BLOCKS = 2 ** 16;

/** A GGUF file's tensors, under the file's own names, and what it says about the model. */
export type GgufSource = TensorSource & { metadata: Record<string, unknown> };

/**
 * Opens a GGUF file; its header is checked, its tensors are read and dequantised one by one when
 * asked for. 64-bit numbers of the metadata are bigint where a number can't hold them.
 *
 * **Shapes and dtypes**: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and the K formats Q2_K to
 * Q6_K become float32; shapes are row-major, `[out, in]` for a matrix, the reverse of how GGUF writes
 * them.
 *
 * @throws {UserError} Where the file is missing, damaged, or holds a format that can't be read.
 */
export function openGguf(path: string): Promise<GgufSource> {
  return Promise.try(() => {
    const file = openByteFile(path);
    try {
      const { metadata, tensors } = readGgufHeader(file);
      checkTypes(tensors, path);
      const read = ({ type, shape, start }: GgufEntry, { rows, buffer }: ReadRequest) => {
        const { elements, bytes, name } = type, width = rowLength(shape);
        const blocks = (rows.end - rows.first) * width / elements;
        const from = start + rows.first * width / elements * bytes;
        const values = roomFor(blocks * elements, buffer);
        for (let done = 0; done < blocks; done += CHUNK_BLOCKS) {
          const count = Math.min(CHUNK_BLOCKS, blocks - done);
          const chunk = file.read(from + done * bytes, count * bytes);
          dequantizers[name](chunk, values.subarray(done * elements, (done + count) * elements));
        }
        return values;
      };
      const source = tensorSource(path, tensors, { read, close: () => file.close() });
      return { ...source, metadata };
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

function checkTypes(tensors: Map<string, GgufEntry>, path: string): void {
  for (const [name, { type }] of tensors) {
    if (Object.hasOwn(dequantizers, type.name)) continue;
    const readable = Object.keys(dequantizers).join(", ");
    const reason = `tensor "${name}" is stored as ${type.name}, readable are ${readable}`;
    throw new UserError(`Cannot use "${path}": ${reason}`, { path, field: name });
  }
}
