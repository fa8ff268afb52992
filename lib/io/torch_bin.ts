import { UserError } from "../errors.ts";
import type { HostTensor } from "../types.ts";
import { type ByteFile, openByteFile } from "./byte_file.ts";
import { floatBytes, widenToFloat32 } from "./half.ts";
import { type PickledTensor, readTensorPickle } from "./tensor_pickle.ts";
import { writeFileAtomic } from "./write_atomic.ts";
import { packZip, readZipEntries, readZipEntry, type ZipEntry } from "./zip.ts";

/** PyTorch maps storages into memory at this alignment. */
const ALIGNMENT = 64;

/**
 * Writes tensors as `torch.save` writes a dict of them; loads under
 * `torch.load(path, weights_only=True)`. The file appears complete or not at all.
 *
 * **Source**: PyTorch's zip-file serialisation: stored entries `archive/data.pkl`,
 * `archive/byteorder`, `archive/data/0` ..., `archive/version`.
 *
 * @throws {UserError} Where the file can't be written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readTorchBin, writeTorchBin } from "./torch_bin.ts";
 * const path = await Deno.makeTempDir() + "/adapter_model.bin";
 * await writeTorchBin(path, [["w", { shape: [2, 1], data: Float32Array.of(1, 2) }]]);
 * const tensors = await readTorchBin(path);
 * assert.deepEqual(tensors.get("w"), { shape: [2, 1], data: Float32Array.of(1, 2) });
 * ```
 */
export async function writeTorchBin(
  path: string,
  tensors: Iterable<readonly [string, HostTensor]>,
): Promise<void> {
  const list = [...tensors];
  const text = (content: string) => new TextEncoder().encode(content);
  const files: [string, Uint8Array][] = [
    ["archive/data.pkl", pickleTensors(list)],
    ["archive/byteorder", text("little")],
    ...list.map(([, { data }], i): [string, Uint8Array] => [
      `archive/data/${i}`,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ]),
    ["archive/version", text("3\n")],
  ];
  const pieces = packZip(files, { alignment: ALIGNMENT });
  await writeFileAtomic(path, async (write) => {
    for (const piece of pieces) await write(piece);
  });
}

/**
 * Reads a dict of tensors that `torch.save` or {@link writeTorchBin} wrote. The pickle inside is
 * parsed, never executed.
 *
 * **Shapes and dtypes**: float32, float16 and bfloat16 become float32, strided tensors row-major.
 *
 * @throws {UserError} Where the file is damaged, is of the format before PyTorch 1.6, holds anything
 * but a dict of such tensors, or asks for code to be run.
 */
export function readTorchBin(path: string): Promise<Map<string, HostTensor>> {
  return Promise.try(() => {
    using file = openByteFile(path);
    const entries = readZipEntries(file);
    const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
    if (!pickleName) throw fail(path, `it has no data.pkl; torch.save did not write it`);
    const content = (name: string) => {
      const entry = entries.get(pickleName.replace("data.pkl", name));
      return entry && readStored(file, entry);
    };
    const order = content("byteorder");
    if (order && new TextDecoder().decode(order) !== "little") {
      throw fail(path, "its numbers are not little-endian");
    }
    const described = readTensorPickle(content("data.pkl")!, { path });
    checkAmount(described, file);
    const storages = new Map<string, Float32Array>();
    const tensors = new Map<string, HostTensor>();
    for (const [name, tensor] of described) {
      const key = `${tensor.type} ${tensor.storageSize} ${tensor.storage}`;
      const storage = storages.get(key) ?? widen(tensor, content(`data/${tensor.storage}`));
      const data = storage && gather(tensor, storage);
      if (!data) {
        throw fail(path, `tensor "${name}" doesn't fit into its storage; the file is damaged`);
      }
      storages.set(key, storage);
      tensors.set(name, { shape: tensor.shape, data });
    }
    return tensors;
  });
}

function fail(path: string, reason: string): UserError {
  return new UserError(`Cannot read "${path}": ${reason}`, { path });
}

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

function readStored(file: ByteFile, entry: ZipEntry): Uint8Array<ArrayBuffer> {
  if (entry.deflated) throw fail(file.path, `"${entry.name}" is compressed, wanted it stored`);
  return readZipEntry(file, entry);
}

/** A small file may not describe tensors that fill the memory by sharing one storage. */
function checkAmount(tensors: Map<string, PickledTensor>, file: ByteFile): void {
  let numbers = 0;
  for (const { shape } of tensors.values()) numbers += product(shape);
  if (numbers <= file.size) return;
  throw fail(file.path, `it describes ${numbers} numbers but has only ${file.size} bytes`);
}

/** A storage's numbers; nothing where it is missing or not as large as described. */
function widen(
  { type, storageSize }: PickledTensor,
  bytes: Uint8Array<ArrayBuffer> | undefined,
): Float32Array | undefined {
  if (bytes?.length !== storageSize * floatBytes[type]) return undefined;
  const storage = new Float32Array(storageSize);
  widenToFloat32(bytes, { type, into: storage });
  return storage;
}

/** Copies a strided view into row-major order; nothing where it reaches outside its storage. */
function gather(
  { offset, shape, strides }: PickledTensor,
  storage: Float32Array,
): Float32Array | undefined {
  const data = new Float32Array(product(shape));
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], offset);
  if (data.length > 0 && !(last < storage.length)) return undefined;
  const index = shape.map(() => 0);
  for (let i = 0, from = offset; i < data.length; i++) {
    data[i] = storage[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return data;
}

type Tensors = (readonly [string, HostTensor])[];

/** Pickles `{name: torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, {})}`. */
function pickleTensors(tensors: Tensors): Uint8Array {
  const bytes: number[] = [];
  const put = (text: string) => bytes.push(...new TextEncoder().encode(text));
  const little = (value: number, count: number) => {
    for (let i = 0; i < count; i++) bytes.push(Math.floor(value / 2 ** (8 * i)) & 255);
  };
  const string = (text: string) => {
    const encoded = new TextEncoder().encode(text);
    put("X");
    little(encoded.length, 4);
    bytes.push(...encoded);
  };
  const integer = (value: number) => {
    if (value >= 2 ** 31) throw new RangeError(`A size of ${value} is too large for a .bin file`);
    put("J");
    little(value, 4);
  };
  const tuple = (values: number[]) => {
    put("(");
    values.forEach(integer);
    put("t");
  };
  bytes.push(0x80, 2);
  put("}(");
  tensors.forEach(([name, { shape, data }], i) => {
    if (product(shape) !== data.length) {
      throw new RangeError(`Tensor "${name}" [${shape}] has ${data.length} numbers`);
    }
    string(name);
    put("ctorch._utils\n_rebuild_tensor_v2\n((");
    string("storage");
    put("ctorch\nFloatStorage\n");
    string(String(i));
    string("cpu");
    integer(data.length);
    put("tQ");
    integer(0);
    tuple(shape);
    tuple(shape.map((_, axis) => product(shape.slice(axis + 1))));
    bytes.push(0x89);
    put("ccollections\nOrderedDict\n)RtR");
  });
  put("u.");
  return Uint8Array.from(bytes);
}
