import fc from "fast-check";
import { createRandom } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";
import { joinLogProbs, makeSums, spreadSlopes, sumResponses } from "../../lib/train/pair_sums.ts";
import { assertClose } from "../close.ts";
import { randomPairs } from "./tiny_models.ts";

const numbers = (length: number, seed: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length }, () => random.normal());
};

Deno.test("sumResponses() tells a sum's tail: what lies beyond the shorter response", () => {
  // Shared 7; then 8, 2 against 9, 9, 2: the third and fourth tokens of the rejected are its tail.
  const short = { index: 0, prompt: [1, 5], chosen: [7, 8], rejected: [7, 9, 9, 2] };
  const long = { index: 1, prompt: [1], chosen: [7, 7, 7, 2], rejected: [7, 7] };
  const batch = packPairs([short, long]);
  const powers = Float64Array.from(batch.targets, (_, i) => 2 ** i);
  const { chosen, rejected, chosenTail, rejectedTail } = sumResponses(batch, powers);
  const at = (item: number) => [chosen, rejected, chosenTail, rejectedTail].map((v) => v[item]);
  const rows = (item: number) => [...batch.items.keys()].filter((i) => batch.items[i] === item);
  const [a, b] = [rows(0), rows(1)].map((list) => list.map((i) => powers[i]));
  assertEquals(at(0), [a[0] + a[1], a[0] + a[2] + a[3] + a[4], 0, a[3] + a[4]]);
  assertEquals(at(1), [b[0] + b[1] + b[2] + b[3], b[0] + b[1], b[2] + b[3], 0]);
});

Deno.test("spreadSlopes() is the transpose of sumResponses(), tails included", () => {
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), (seed, size) => {
    const batch = packPairs(randomPairs(size, seed)), n = batch.items.length;
    const loss = {
      gradChosen: numbers(size, seed),
      gradRejected: numbers(size, seed + 1),
      gradChosenTail: numbers(size, seed + 2),
      gradRejectedTail: numbers(size, seed + 3),
    };
    const values = numbers(n, seed + 4), sums = sumResponses(batch, values);
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
    const wanted = dot(loss.gradChosen, sums.chosen) + dot(loss.gradRejected, sums.rejected) +
      dot(loss.gradChosenTail, sums.chosenTail) + dot(loss.gradRejectedTail, sums.rejectedTail);
    assertClose(dot(spreadSlopes(batch, loss), values), wanted, { absolute: 1e-5 });
  }));
});

Deno.test("joinLogProbs() gives weights where the policy's squares are known, else none", () => {
  const pairs = randomPairs(3, 1), sums = makeSums(() => Float64Array.of(-4, -5, -6));
  assertEquals(joinLogProbs(pairs, sums, sums).pairWeights, undefined);
  const { pairWeights } = joinLogProbs(pairs, sums, sums, sums);
  assertEquals([...pairWeights as Float64Array], [1, 1, 1]); // each token as likely as any draw
});
