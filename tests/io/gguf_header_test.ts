import { openGguf } from "../../lib/io/gguf.ts";
import { assertEquals } from "../../lib/std.ts";
import { userError } from "./damage.ts";

/** Little-endian bytes of a number. */
const bytes = (value: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 255);
const u32 = (value: number) => bytes(value, 4);
const u64 = (value: number) => bytes(value, 8);
const text = (value: string) => [...u64(value.length), ...new TextEncoder().encode(value)];

const [UINT32, BOOL, STRING, LIST] = [4, 7, 8, 9];
const entry = (
  key: string,
  type: number,
  value: number[],
) => [...text(key), ...u32(type), ...value];
const F32 = 0, Q4_0 = 2;
const tensor = (
  name: string,
  { sizes = [1], type = F32, start = 0 }: { sizes?: number[]; type?: number; start?: number } = {},
) => [...text(name), ...u32(sizes.length), ...sizes.flatMap(u64), ...u32(type), ...u64(start)];

/** A file of these metadata entries and tensors, with 64 bytes of data. */
function fileOf({ metadata = [], tensors = [] }: { metadata?: number[][]; tensors?: number[][] }) {
  const counts = [...u64(tensors.length), ...u64(metadata.length)];
  const header = [...new TextEncoder().encode("GGUF"), ...u32(3), ...counts];
  const all = [...header, ...metadata.flat(), ...tensors.flat()];
  return Uint8Array.from([...all, ...new Array(32 - all.length % 32 + 64).fill(0)]);
}

const yes = entry("a", BOOL, [1]);
const list = (of: number[]) => [...u32(LIST), ...u64(1), ...of];
const cases: [content: Parameters<typeof fileOf>[0], reason: string][] = [
  [{ metadata: [yes, yes] }, 'metadata key "a" comes twice'],
  [{ metadata: [entry("a", 13, [])] }, "the metadata before byte 37 has unknown type 13"],
  [{ metadata: [entry("a", STRING, [...u64(1), 255])] }, "the text at byte 45 is not UTF-8"],
  [
    { metadata: [entry("a", LIST, list(list(list(list([...u32(BOOL), ...u64(0)])))))] },
    "its metadata nests lists deeper than 4",
  ],
  [
    { metadata: [entry("general.alignment", UINT32, u32(24))] },
    "general.alignment must be a power of two, found 24",
  ],
  [
    { metadata: [entry("general.alignment", BOOL, [1])] },
    "general.alignment must be a power of two, found true",
  ],
  [{ tensors: [tensor("w"), tensor("w", { start: 32 })] }, 'tensor "w" comes twice'],
  [
    { tensors: [tensor("w", { sizes: [1, 1, 1, 1, 1] })] },
    'tensor "w" must have at most 4 dimensions, found 5',
  ],
  [{ tensors: [tensor("w", { type: 99 })] }, 'tensor "w" has an unknown number format, id 99'],
  [{ tensors: [tensor("w", { sizes: [2 ** 60] })] }, 'tensor "w" has an impossible size or place'],
  [{ tensors: [tensor("w", { start: 2 ** 60 })] }, 'tensor "w" has an impossible size or place'],
  [
    { tensors: [tensor("w", { sizes: [33, 2], type: Q4_0 })] },
    'tensor "w" is Q4_0 [2,33], wanted rows of a multiple of 32 numbers',
  ],
  [{ tensors: [tensor("w", { start: 4 })] }, 'the data of tensor "w" at byte 68 is not aligned'],
  [
    { tensors: [tensor("v", { sizes: [9] }), tensor("w", { start: 32 })] },
    'the data of tensor "w" at byte 128 overlaps the tensor before it',
  ],
];

Deno.test("readGgufHeader() says which rule of the format a file breaks", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, fileOf({ metadata: [yes], tensors: [tensor("w")] }));
  const { metadata, names, close } = await openGguf(path);
  close();
  assertEquals([metadata, names()], [{ a: true }, ["w"]]);
  for (const [content, reason] of cases) {
    await Deno.writeFile(path, fileOf(content));
    assertEquals((await userError(openGguf(path))).message, `Cannot read "${path}": ${reason}`);
  }
  await Deno.remove(path);
});
