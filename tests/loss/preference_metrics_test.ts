import fc from "fast-check";
import { dpoLoss } from "../../lib/loss/dpo_loss.ts";
import { addPairs, createMetricSums, meanMetrics } from "../../lib/loss/preference_metrics.ts";
import { createRandom, shuffle } from "../../lib/random.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";

type Row = [policyChosen: number, policyRejected: number, refChosen: number, refRejected: number];

function metricsOf(batches: Row[][]) {
  const sums = createMetricSums();
  for (const rows of batches) {
    const [policyChosen, policyRejected, referenceChosen, referenceRejected] = [0, 1, 2, 3]
      .map((i) => rows.map((row) => row[i]));
    const logProbs = { policyChosen, policyRejected, referenceChosen, referenceRejected };
    addPairs(sums, { ...logProbs, ...dpoLoss(logProbs, { beta: 0.1 }) });
  }
  return meanMetrics(sums);
}

Deno.test("meanMetrics() gives the means of three worked pairs", () => {
  // A win, a tie, a loss: rewards 0.1 * (policy - reference).
  const metrics = metricsOf([[[-9, -12, -10, -10], [-8, -8, -10, -10], [-14, -10, -10, -11]]]);
  const wanted = {
    "rewards/chosen": (0.1 + 0.2 - 0.4) / 3,
    "rewards/rejected": (-0.2 + 0.2 + 0.1) / 3,
    "rewards/accuracies": 1 / 3,
    "rewards/ties": 1 / 3,
    "rewards/margins": (0.3 + 0 - 0.5) / 3,
    "logps/chosen": -31 / 3,
    "logps/rejected": -10,
    "drift/chosen": -1 / 3,
    "drift/rejected": 1 / 3,
    chosenPreference: 0.5,
    loss: (Math.log1p(Math.exp(-0.3)) + Math.LN2 + Math.log1p(Math.exp(0.5))) / 3,
    pairs: 3,
  };
  assertEquals(Object.keys(metrics).sort(), Object.keys(wanted).sort());
  for (const [key, value] of Object.entries(wanted)) {
    assertClose(metrics[key as keyof typeof wanted], value, { absolute: 1e-12, message: key });
  }
});

Deno.test("meanMetrics() counts no win but half a preference for an untrained policy", () => {
  const metrics = metricsOf([[[-9, -12, -9, -12], [-8, -8, -8, -8]]]);
  assertEquals(
    [metrics["rewards/accuracies"], metrics["rewards/ties"], metrics.chosenPreference],
    [0, 1, 0.5],
  );
  assertEquals(metrics.loss, Math.LN2);
});

Deno.test("meanMetrics() gives the same bits however pairs are ordered and batched", () => {
  const logProb = fc.double({ min: -300, max: 0, noNaN: true });
  const rows = fc.array(fc.tuple(logProb, logProb, logProb, logProb), { minLength: 1 });
  fc.assert(fc.property(rows, fc.integer({ min: 1, max: 5 }), fc.nat(), (all, size, seed) => {
    const mixed = shuffle(all, createRandom(seed));
    const batches: Row[][] = [];
    for (let i = 0; i < mixed.length; i += size) batches.push(mixed.slice(i, i + size));
    assertEquals(metricsOf(batches), metricsOf([all]));
  }));
});

Deno.test("meanMetrics() refuses to take means over no pairs", () => {
  assertEquals(
    thrownBy(() => meanMetrics(createMetricSums())).message,
    "Cannot take the mean of metrics over no pairs",
  );
});
