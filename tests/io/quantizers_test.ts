import { openGguf } from "../../lib/io/gguf.ts";
import { dequantizers } from "../../lib/io/dequantizers.ts";
import { ggmlType } from "../../lib/io/gguf_types.ts";
import { quantizers } from "../../lib/io/quantizers.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertSameBits, bytesOf, goldenPath, type Numbers, readAll } from "./golden_files.ts";

type Golden = {
  read: Record<string, Numbers>;
  values: Numbers;
  written: Record<string, string>;
};
const golden: Golden = JSON.parse(await Deno.readTextFile(goldenPath("gguf.json")));

/** Quantises numbers; returns the bytes. */
function quantize(name: string, values: Float32Array): Uint8Array<ArrayBuffer> {
  const { elements, bytes } = ggmlType(name);
  const into = new Uint8Array(values.length / elements * bytes);
  quantizers[name](values, into);
  return into;
}

/** What is read back of numbers that were quantised. */
function roundTrip(name: string, values: Float32Array): Float32Array {
  const back = new Float32Array(values.length);
  dequantizers[name](quantize(name, values), back);
  return back;
}

/** Numbers as weights are distributed, about. */
function drawn(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => {
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += random.next() - 0.5;
    return 0.03 * sum;
  });
}

/** Root mean square of what quantising changed, over that of the numbers. */
function relativeError(name: string, values: Float32Array): number {
  const back = roundTrip(name, values);
  const squares = (list: Float32Array) => list.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(back.map((value, i) => value - values[i])) / squares(values));
}

Deno.test("openGguf() dequantises the K formats to the bits of Python's gguf", async () => {
  const source = await openGguf(goldenPath("k_types.gguf"));
  assertEquals(source.names(), ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]);
  for (const name of source.names()) {
    assertSameBits(await readAll(source, name), golden.read[name], name);
  }
  source.close();
});

Deno.test("quantizers give the bytes of Python's gguf", () => {
  const values = new Float32Array(bytesOf(golden.values.base64).buffer);
  for (const [name, wanted] of Object.entries(golden.written)) {
    const found = quantize(name, values), expected = bytesOf(wanted);
    const other = found.findIndex((byte, i) => byte !== expected[i]);
    assertEquals([found.length, other], [expected.length, -1], `${name}: byte ${other}`);
  }
});

Deno.test("quantizers write at any place of a buffer", () => {
  const values = drawn(256, 3);
  for (const name of Object.keys(quantizers)) {
    const wanted = quantize(name, values), room = new Uint8Array(wanted.length + 9).fill(7);
    quantizers[name](values, room.subarray(3, 3 + wanted.length));
    assertEquals([...room], [7, 7, 7, ...wanted, 7, 7, 7, 7, 7, 7], name);
  }
});

Deno.test("quantizers of K formats lose no more than their bits must", () => {
  const values = drawn(256 * 64, 1);
  const [q4, q5, q6, q8] = ["Q4_K", "Q5_0", "Q6_K", "Q8_0"].map((name) =>
    relativeError(name, values)
  );
  assert(q4 < relativeError("Q4_0", values) * 0.9, `Q4_K loses ${q4}`);
  assert(q8 < q6 && q6 < q5 && q5 < q4, `${[q8, q6, q5, q4]}`);
  assert(q4 < 0.075 && q6 < 0.019, `${[q4, q6]}`);
});

Deno.test("quantizers of K formats take blocks of zeros, of one number and of one sign", () => {
  for (const name of ["Q4_K", "Q6_K"]) {
    assert(roundTrip(name, new Float32Array(256)).every((value) => value === 0), name);
    for (const one of [0.25, -3, 1e-4]) {
      const back = roundTrip(name, new Float32Array(256).fill(one));
      assert(
        back.every((value) => Math.abs(value - one) <= 0.02 * Math.abs(one)),
        `${name} ${back}`,
      );
    }
    const positive = drawn(256, 2).map((value) => Math.abs(value) + 1);
    assert(relativeError(name, positive) < 0.02, `${name} ${relativeError(name, positive)}`);
    const outlier = drawn(256, 4);
    outlier[77] = 50;
    assert(Math.abs(roundTrip(name, outlier)[77] - 50) < 0.5, name);
    assert(roundTrip(name, outlier).every(Number.isFinite), name);
  }
});
