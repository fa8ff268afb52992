import { bootstrap, quantile, shareInterval } from "../../lib/evaluate/bootstrap.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import golden from "../golden/bootstrap.json" with { type: "json" };

const { skewed, details, first, second } = golden.columns;

Deno.test("bootstrap() gives the intervals that scipy.stats.bootstrap gives", () => {
  const found = bootstrap([skewed, first, second, details], ([s, a, b, all], count) => [
    s / count,
    a / all,
    b / all - a / all,
  ], { resamples: 20_000 });
  [golden.mean, golden.ratio, golden.difference].forEach((wanted, i) => {
    assertClose(found[i].value!, wanted.value, { absolute: 1e-12 });
    // An end of 20,000 draws has a standard error of 0.019 standard errors of the statistic.
    assertClose(found[i].interval!, wanted.interval, { absolute: 0.08 * wanted.standard_error });
  });
});

Deno.test("bootstrap() covers the truth in about 95 of 100 samples", () => {
  const random = createRandom(7), samples = 400, size = 50;
  let meanHeld = 0, shareHeld = 0;
  for (let i = 0; i < samples; i++) {
    const numbers = Array.from({ length: size }, () => random.normal() + 3);
    const hits = numbers.map(() => Number(random.next() < 0.3));
    const means = (sums: Float64Array) => Array.from(sums, (sum) => sum / size);
    const options = { resamples: 500, seed: i };
    const [mean, share] = bootstrap([numbers, hits], means, options);
    if (mean.interval![0] <= 3 && 3 <= mean.interval![1]) meanHeld++;
    if (share.interval![0] <= 0.3 && 0.3 <= share.interval![1]) shareHeld++;
  }
  for (const held of [meanHeld, shareHeld]) {
    assert(held > 0.91 * samples && held < 0.98 * samples, `${held} of ${samples}`);
  }
});

Deno.test("bootstrap() keeps an item's columns together: twice the same differs by 0", () => {
  const [difference] = bootstrap([skewed, skewed], ([a, b]) => [a - b]);
  assertEquals(difference, { value: 0, interval: [0, 0] });
});

Deno.test("bootstrap() gives the same interval for the same seed, another for another", () => {
  const mean = (seed: number) => bootstrap([skewed], ([sum]) => [sum], { seed })[0].interval;
  assertEquals(mean(1), mean(1));
  assert(mean(1)![0] !== mean(2)![0]);
});

Deno.test("bootstrap() says null where the sample tells nothing", () => {
  const ratio = ([part, whole]: Float64Array) => [part / whole];
  assertEquals(bootstrap([[0, 0], [0, 0]], ratio), [{ value: null, interval: null }]);
  assertEquals(bootstrap([[], []], ratio), [{ value: null, interval: null }]);
  // One of two items has details: samples without it are left out.
  assertEquals(bootstrap([[1, 0], [2, 0]], ratio), [{ value: 0.5, interval: [0.5, 0.5] }]);
});

Deno.test("shareInterval() doesn't take none for never", () => {
  for (const [count, high] of Object.entries(golden.none_of)) {
    const none = shareInterval({ value: 0, interval: [0, 0] }, Number(count));
    assertClose(none.interval!, [0, high], { absolute: 1e-9 });
    const all = shareInterval({ value: 1, interval: [1, 1] }, Number(count));
    assertClose(all.interval!, [1 - high, 1], { absolute: 1e-9 });
  }
  const varied = { value: 0.2, interval: [0.1, 0.3] as [number, number] };
  assertEquals(shareInterval(varied, 20), varied);
});

Deno.test("quantile() interpolates as numpy does", () => {
  assertEquals([0, 0.25, 0.9, 1].map((share) => quantile([1, 2, 4], share)), [1, 1.5, 3.6, 4]);
});
