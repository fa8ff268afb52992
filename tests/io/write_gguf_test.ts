import { join } from "node:path";
import { openGguf } from "../../lib/io/gguf.ts";
import { tensorSource } from "../../lib/io/tensor_source.ts";
import { type GgufMetadata, plainMetadata, writeGguf } from "../../lib/io/write_gguf.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { TensorSource } from "../../lib/types.ts";
import { userError } from "./damage.ts";

/** Tensors in memory as a source. */
function sourceOf(tensors: Record<string, { shape: number[]; data: Float32Array }>): TensorSource {
  const entries = new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, dtype: "F32" }]),
  );
  return tensorSource("memory", entries, {
    read: ({ shape, data }, { rows }) => {
      const width = shape.slice(1).reduce((a, b) => a * b, 1);
      return data.slice(rows.first * width, rows.end * width);
    },
    close: () => {},
  });
}

const count = (length: number) => Float32Array.from({ length }, (_, i) => i % 97 - 48);
const F32 = { typeOf: () => "F32" };

Deno.test("writeGguf() and openGguf() are inverse, whatever lies at the edge of what is read at once", async () => {
  const path = join(await Deno.makeTempDir(), "a.gguf");
  // Lengths 0 to 12 put every kind of value across the reader's window of 1 MiB at some place.
  const texts = Array.from({ length: 150_000 }, (_, i) => "é".repeat(i % 7));
  const metadata: GgufMetadata = {
    "general.architecture": { text: "llama" },
    texts: { texts },
    "ids": { i32s: [-1, 2 ** 31 - 1] },
    scores: { f32s: [0.5, -1e9] },
    yes: { bool: true },
    one: { u32: 2 ** 32 - 1 },
    half: { f32: 0.5 },
  };
  const source = sourceOf({
    "a.weight": { shape: [3, 5], data: count(15) },
    "b.weight": { shape: [7], data: count(7) },
    "large.weight": { shape: [70_000, 32], data: count(70_000 * 32) },
  });
  const shares: number[] = [];
  const bytes = await writeGguf(path, source, {
    metadata,
    typeOf: (name) => name === "large.weight" ? "Q8_0" : "F32",
    onProgress: (done, total) => shares.push(done / total),
  });
  assertEquals(bytes, 4 * (15 + 7) + 70_000 * 34);
  assertEquals([shares.at(-1), shares.toSorted((a, b) => a - b)], [1, shares]);
  const back = await openGguf(path);
  assertEquals(back.metadata, plainMetadata(metadata));
  assertEquals(back.names(), source.names());
  assertEquals(back.names().map(back.dtype), ["F32", "F32", "Q8_0"]);
  assertEquals([back.shape("a.weight"), back.shape("b.weight")], [[3, 5], [7]]);
  assertEquals(await back.read("a.weight"), count(15));
  const large = await back.read("large.weight"), wanted = await source.read("large.weight");
  assert(large.every((value, i) => Math.abs(value - wanted[i]) < 0.2));
  const rows = { first: 69_998, end: 69_999 };
  assertEquals(await back.read("large.weight", undefined, rows), large.slice(-64, -32));
  back.close();
});

Deno.test("writeGguf() refuses what a format can't hold, and leaves nothing behind", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "a.gguf");
  for (const [value, typeOf] of [[70_000, "F16"], [NaN, "Q8_0"], [Infinity, "Q4_0"]] as const) {
    const source = sourceOf({ w: { shape: [1, 32], data: count(32).fill(value, 7, 8) } });
    const { message } = await userError(
      writeGguf(path, source, { metadata: {}, typeOf: () => typeOf }),
    );
    assertEquals(
      message,
      `Cannot write "${path}": tensor "w" holds ${value}, which ${typeOf} can't hold, wanted ` +
        "numbers up to 65504; choose bfloat16 or float32",
    );
  }
  await writeGguf(path, sourceOf({ w: { shape: [1], data: Float32Array.of(NaN) } }), {
    metadata: {},
    ...F32,
  });
  assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["a.gguf"]);
});
