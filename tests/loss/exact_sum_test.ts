import fc from "fast-check";
import { addExactly, type ExactSum, roundSum } from "../../lib/loss/exact_sum.ts";
import { createRandom, shuffle } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";

function sumOf(numbers: number[]): number {
  const sum: ExactSum = [];
  for (const number of numbers) addExactly(sum, number);
  return roundSum(sum);
}

Deno.test("addExactly() loses nothing where plain addition does", () => {
  assertEquals(sumOf(Array(10).fill(0.1)), 1);
  assertEquals(sumOf([1e100, 1, -1e100, 1e-100]), 1);
  assertEquals(sumOf([]), 0);
});

Deno.test("roundSum() rounds a halfway case by what lies below", () => {
  // As math.fsum: 1 + 2^-53 is halfway and goes to 1, a little more goes up.
  assertEquals(sumOf([1, 2 ** -53]), 1);
  assertEquals(sumOf([1, 2 ** -53, 2 ** -80]), 1 + 2 ** -52);
});

Deno.test("roundSum() is the same in any order", () => {
  const number = fc.double({ min: -1e30, max: 1e30, noNaN: true });
  fc.assert(fc.property(fc.array(number), fc.nat(), (numbers, seed) => {
    assertEquals(sumOf(shuffle(numbers, createRandom(seed))) + 0, sumOf(numbers) + 0);
  }));
});

Deno.test("roundSum() shows numbers that are not finite", () => {
  assertEquals([sumOf([1, NaN, 2]), sumOf([NaN])], [NaN, NaN]);
  for (const numbers of [[1, Infinity], [1, Infinity, 2], [Infinity, -Infinity]]) {
    assertEquals(Number.isFinite(sumOf(numbers)), false);
  }
});
