import fc from "fast-check";
import {
  dpoLoss,
  type DpoLossOptions,
  type DpoLossResult,
  type PairLogProbs,
} from "../../lib/loss/dpo_loss.ts";
import { comparesPairs } from "../../lib/loss/loss_options.ts";
import { wpoWeights } from "../../lib/loss/wpo_weights.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";
import {
  anyOptions,
  columns,
  forLosses,
  logProb,
  LOSS_NAMES,
  type Pair,
  pairs,
  pairWithMargin,
} from "./any_pairs.ts";

type GoldenCase = {
  name: string;
  options: DpoLossOptions;
  logProbs: Required<Omit<PairLogProbs, "pairWeights">>;
  squares?: { chosenSquares: number[]; rejectedSquares: number[] };
  loss: number;
  gradChosen: number[];
  gradRejected: number[];
  gradChosenTail?: number[];
  gradRejectedTail?: number[];
  metrics?: Record<string, number>;
};
const golden: { cases: GoldenCase[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/losses.json", import.meta.url)),
);

Deno.test("dpoLoss() gives the worked values for three pairs at beta 0.1", () => {
  // Margins before beta 0, 10 and 20: softplus(0) = 0.693147, softplus(-1) = 0.313262,
  // softplus(-2) = 0.126928. Gradient -beta * sigmoid(-beta * margin): -0.05, -0.0268941, -0.0119203.
  const logProbs = {
    policyChosen: [-0.5, -10, -1],
    policyRejected: [-0.1, -30, -21],
    referenceChosen: [-0.5, -10.1, -0.1],
    referenceRejected: [-0.1, -20.1, -0.1],
  };
  const result = dpoLoss(logProbs, { beta: 0.1 });
  assertClose(result.losses, [0.693147, 0.313262, 0.126928], { absolute: 5e-7 });
  assertClose(result.chosenRewards, [0, 0.01, -0.09], { absolute: 1e-12 });
  assertClose(result.rejectedRewards, [0, -0.99, -2.09], { absolute: 1e-12 });
  const perPair = result.gradChosen.map((g) => 3 * g);
  assertClose(perPair, [-0.05, -0.0268941, -0.0119203], { absolute: 5e-8 });
  assertClose(result.gradRejected, result.gradChosen.map((g) => -g));
  assertClose(result.loss, (0.693147 + 0.313262 + 0.126928) / 3, { absolute: 5e-7 });
  const smoothed = dpoLoss(logProbs, { beta: 0.1, labelSmoothing: 0.1 });
  assertClose(smoothed.losses, [0.693147, 0.413262, 0.326928], { absolute: 5e-7 });
});

for (const [i, { name, options, logProbs, squares, ...wanted }] of golden.cases.entries()) {
  Deno.test(`dpoLoss() equals the golden values of ${name} (case ${i})`, () => {
    const pairWeights = squares && wpoWeights({ ...logProbs, ...squares });
    const result = dpoLoss({ ...logProbs, pairWeights }, options);
    const tolerance = { absolute: 1e-12, relative: 1e-9 };
    assertClose(result.loss, wanted.loss, { relative: 1e-9 });
    assertClose(result.gradChosen, wanted.gradChosen, tolerance);
    assertClose(result.gradRejected, wanted.gradRejected, tolerance);
    for (const side of ["Chosen", "Rejected"] as const) {
      const tail = wanted[`grad${side}Tail`], hasTail = logProbs[`policy${side}Tail`];
      const found = result[`grad${side}Tail`].map((slope, i) => hasTail[i] === 0 ? 0 : slope);
      if (tail) assertClose(found, tail, tolerance);
    }
    if (!wanted.metrics) return;
    const mean = (values: ArrayLike<number>) =>
      Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    assertClose(mean(result.chosenRewards), wanted.metrics["rewards/chosen"], { relative: 1e-9 });
    assertClose(mean(result.rejectedRewards), wanted.metrics["rewards/rejected"], {
      relative: 1e-9,
    });
  });
}

Deno.test("dpoLoss() gives ln 2 when the policy equals the reference", () => {
  fc.assert(fc.property(pairs, anyOptions, (rows, { beta, labelSmoothing, dpopLambda }) => {
    const same = rows.map((row) => ({
      ...row,
      policyChosen: row.referenceChosen,
      policyRejected: row.referenceRejected,
    }));
    for (
      const lossType of [
        "sigmoid",
        "robust",
        "dpop",
        "aot",
        "aot_unpaired",
        "sigmoid_norm",
      ] as const
    ) {
      const options = forLosses({ beta, labelSmoothing, dpopLambda, lossType: [lossType] });
      assertClose(dpoLoss(columns(same), options).loss, Math.LN2, { absolute: 1e-12 });
    }
  }));
});

Deno.test("dpoLoss() doesn't change when policy and reference shift together", () => {
  fc.assert(fc.property(pairs, anyOptions, logProb, (rows, options, shift) => {
    const lossType = options.lossType.filter((name) => name !== "sft");
    if (lossType.length === 0) return;
    const shifted = rows.map((row) => ({
      ...row,
      policyChosen: row.policyChosen + shift,
      referenceChosen: row.referenceChosen + shift,
    }));
    const [a, b] = [rows, shifted].map((r) =>
      dpoLoss(columns(r), forLosses({ ...options, lossType }))
    );
    // Rounding may change who is compared with whom, but not what comes of it.
    const key = comparesPairs({ lossType }) ? "loss" : "losses";
    assertClose(b[key], a[key], { absolute: 1e-8, relative: 1e-8 });
  }));
});

Deno.test("dpoLoss() is antisymmetric: L(m) - L(-m) = -beta m, smoothed and robust alike", () => {
  const margin = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(fc.property(margin, anyOptions, (m, { beta, labelSmoothing: eps = 0 }) => {
    for (
      const [lossType, factor] of [["sigmoid", 1 - 2 * eps], ["robust", 1 / (1 - 2 * eps)]] as const
    ) {
      const loss = (x: number) =>
        dpoLoss(pairWithMargin(x), { beta, labelSmoothing: eps, lossType }).loss;
      const absolute = 1e-9 * Math.max(1, factor);
      assertClose(loss(m) - loss(-m), -beta * m * factor, { absolute, relative: 1e-9 });
    }
  }));
});

Deno.test("dpoLoss() is finite and right at margins of +-1e4", () => {
  for (const lossType of LOSS_NAMES) {
    for (const margin of [-1e4, 1e4]) {
      const options = forLosses({ beta: 1, lossType: [lossType], labelSmoothing: 0.1 });
      const result = dpoLoss(pairWithMargin(margin), options);
      for (const value of [result.loss, result.gradChosen[0], result.gradRejected[0]]) {
        assert(Number.isFinite(value), `${lossType} at ${margin}: ${value}`);
      }
    }
  }
  assertEquals(dpoLoss(pairWithMargin(-1e4), { beta: 1 }).loss, 1e4);
  assertEquals(dpoLoss(pairWithMargin(1e4), { beta: 1 }).loss, 0);
});

Deno.test("dpoLoss() lets NaN through to loss and gradient", () => {
  for (const lossType of LOSS_NAMES) {
    const options = forLosses({ beta: 0.1, lossType: [lossType], labelSmoothing: 0.1 });
    const { loss, gradChosen } = dpoLoss(pairWithMargin(NaN), options);
    assertEquals(loss, NaN);
    if (lossType !== "sft") assertEquals(gradChosen[0], NaN, lossType);
  }
});

const GRADIENTS = [
  ["policyChosen", "gradChosen"],
  ["policyRejected", "gradRejected"],
  ["policyChosenTail", "gradChosenTail"],
  ["policyRejectedTail", "gradRejectedTail"],
] as const;

Deno.test("dpoLoss() has gradients that equal finite differences", () => {
  const h = 1e-4;
  fc.assert(fc.property(pairs, anyOptions, (rows, options) => {
    const at = (key: keyof Pair, i: number, by: number) =>
      dpoLoss(columns(rows.map((r, j) => i === j ? { ...r, [key]: r[key] + by } : r)), options)
        .loss;
    const result = dpoLoss(columns(rows), options);
    if (hasKink(rows, result, { ...options, h })) return; // A difference across it says nothing.
    for (const [key, gradient] of GRADIENTS) {
      const differences = rows.map((_, i) => (at(key, i, h) - at(key, i, -h)) / (2 * h));
      assertClose(result[gradient], differences, { absolute: 2e-5, relative: 2e-5, message: key });
    }
  }));
});

/** Whether a change by h may cross a corner of hinge, dpop or a sort. */
function hasKink(
  rows: Pair[],
  { chosenRewards, rejectedRewards }: DpoLossResult,
  { beta, ldAlpha = 1, h }: DpoLossOptions & { h: number },
): boolean {
  const margins = rows.map((row) =>
    row.policyChosen - row.policyRejected -
    (1 - ldAlpha) * (row.policyChosenTail - row.policyRejectedTail)
  );
  const areTied = (values: ArrayLike<number>, least: number) =>
    Array.from(values).sort((a, b) => a - b)
      .some((value, i, sorted) => i > 0 && value - sorted[i - 1] < least);
  const near = 4 * h * beta;
  return areTied(margins, 4 * h) || areTied(chosenRewards, near) ||
    areTied(rejectedRewards, near) ||
    chosenRewards.some((reward, i) =>
      Math.abs(reward) < near || Math.abs(1 - (reward - rejectedRewards[i])) < near
    );
}

Deno.test("dpoLoss() of parts adds up to the whole batch", () => {
  fc.assert(fc.property(pairs, anyOptions, fc.nat(8), (rows, options, cut) => {
    if (comparesPairs(options)) return;
    const whole = dpoLoss(columns(rows), options);
    const totals = {
      totalPairs: rows.length,
      totalChosenTokens: rows.reduce((sum, row) => sum + row.chosenTokens, 0),
    };
    const parts = [rows.slice(0, cut), rows.slice(cut)].filter((part) => part.length > 0)
      .map((part) => dpoLoss(columns(part), { ...options, ...totals }));
    for (const key of ["losses", "gradChosen", "gradRejectedTail", "chosenRewards"] as const) {
      assertEquals(parts.flatMap((part) => [...part[key]]), [...whole[key]]);
    }
    assertClose(parts.reduce((sum, part) => sum + part.loss, 0), whole.loss, {
      absolute: 1e-12,
      relative: 1e-12,
    });
  }));
});

Deno.test("dpoLoss() refuses a part of a batch where pairs are compared", () => {
  const { name, message } = thrownBy(() =>
    dpoLoss(pairWithMargin(1), { beta: 0.1, lossType: ["aot", "sft"], totalPairs: 4 })
  );
  assertEquals(
    [name, message],
    ["RangeError", "Cannot compute loss: aot,sft needs a whole batch, found 1 of 4 pairs"],
  );
});

Deno.test("dpoLoss() refuses vectors of unequal length, no pairs, and what a loss lacks", () => {
  const whole = pairWithMargin(1), { chosenTokens: _, ...withoutTokens } = whole;
  const wrong: [PairLogProbs, Partial<DpoLossOptions>, string][] = [
    [{ ...whole, policyRejected: [1, 2] }, {}, "policyRejected must hold 1, found 2"],
    [{ ...whole, policyChosen: [] }, {}, "the batch holds no pairs"],
    [{ ...whole, chosenTokens: [] }, {}, "chosenTokens must hold 1, found 0"],
    [withoutTokens, { lossType: "sft" }, "chosenTokens must hold 1, found undefined"],
    [whole, { ldAlpha: 0.5 }, "policyChosenTail must hold 1, found undefined"],
    [whole, { useWeighting: true }, "pairWeights must hold 1, found undefined"],
  ];
  for (const [logProbs, options, message] of wrong) {
    const error = thrownBy(() => dpoLoss(logProbs, { beta: 0.1, ...options }));
    assertEquals([error.name, error.message], ["RangeError", `Cannot compute loss: ${message}`]);
  }
});
