import { openGguf } from "../../lib/io/gguf.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { survivesDamage, userError } from "./damage.ts";
import { assertSameBits, golden, goldenPath, readAll } from "./golden_files.ts";

const types = goldenPath("types.gguf");

Deno.test("openGguf() dequantises every readable format to the bits of Python's gguf", async () => {
  const source = await openGguf(types);
  const names = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"];
  assertEquals(source.names(), names);
  for (const name of names) assertSameBits(await readAll(source, name), golden.gguf[name], name);
  source.close();
});

Deno.test("openGguf() reads every type of metadata", async () => {
  const { metadata, close } = await openGguf(types);
  close();
  const { text, texts, numbers, bool, f32, f64 } = metadata;
  assertEquals([text, texts, numbers, bool], ["héllo 🩺", ["a", "", "c"], [1, -2, 3], true]);
  assertEquals([f32, f64], [Math.fround(0.1), 0.1]);
  const { u8, i8, u16, i16, u32, i32, u64, i64 } = metadata;
  assertEquals([u8, i8, u16, i16, u32, i32], [255, -128, 65535, -32768, 2 ** 32 - 1, -(2 ** 31)]);
  assertEquals([u64, i64], [2n ** 63n, -(2 ** 40)]);
});

Deno.test("openGguf() names a format that it can't read, and the tensor", async () => {
  const path = goldenPath("iq4_xs.gguf");
  const { message } = await userError(openGguf(path));
  const readable = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K";
  const reason = `tensor "blk.0.attn_q.weight" is stored as IQ4_XS, readable are ${readable}`;
  assertEquals(message, `Cannot use "${path}": ${reason}`);
});

Deno.test("openGguf() says what is wrong with a file that it refuses", async () => {
  const original = await Deno.readFile(types);
  const change = (at: number, ...bytes: number[]) => {
    const changed = original.slice();
    changed.set(bytes, at);
    return changed;
  };
  const cases: [bytes: Uint8Array, reason: RegExp][] = [
    [new TextEncoder().encode("{}"), /it doesn't begin with "GGUF"/],
    [change(4, 1), /wanted little-endian GGUF of version 2 or 3, found version 1/],
    [change(4, 0, 0, 0, 3), /found a big-endian file/],
    [change(15, 1), /it claims 7205759403792794\d tensors, at most \d+ fit/],
    [change(23, 255), /metadata entries, at most \d+ fit in the rest of the file/],
    [change(31, 255), /bytes of text, at most \d+ fit in the rest of the file/],
    [original.subarray(0, 400), /its header is cut short or damaged|at most \d+ fit/],
    [
      original.subarray(0, -40),
      /tensor "Q8_0" ends at byte \d+, the file at \d+; it was cut short/,
    ],
  ];
  const path = await Deno.makeTempFile();
  for (const [bytes, reason] of cases) {
    await Deno.writeFile(path, bytes);
    const { message } = await userError(openGguf(path));
    assert(message.startsWith(`Cannot read "${path}": `) && reason.test(message), message);
  }
});

Deno.test("openGguf() survives any damage", async () => {
  await survivesDamage(await Deno.readFile(types), async (path) => {
    const source = await openGguf(path);
    try {
      for (const name of source.names()) await source.read(name);
    } finally {
      source.close();
    }
  });
});
