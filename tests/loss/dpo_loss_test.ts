import fc from "fast-check";
import { UserError } from "../../lib/errors.ts";
import { dpoLoss, type DpoLossOptions, type PairLogProbs } from "../../lib/loss/dpo_loss.ts";
import { type LossType, lossTypes } from "../../lib/loss/loss_types.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";

type GoldenCase = {
  name: string;
  options: DpoLossOptions;
  logProbs: PairLogProbs;
  loss: number;
  gradChosen: number[];
  gradRejected: number[];
  metrics?: Record<string, number>;
};
const golden: { cases: GoldenCase[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/losses.json", import.meta.url)),
);

/** A pair whose margin before beta is `margin`: only the chosen answer differs from the reference. */
function pairWithMargin(margin: number): PairLogProbs {
  return {
    policyChosen: [margin],
    policyRejected: [0],
    referenceChosen: [0],
    referenceRejected: [0],
    chosenTokens: [4],
    rejectedTokens: [3],
  };
}

const names = Object.keys(lossTypes) as LossType[];
const logProb = fc.double({ min: -300, max: 0, noNaN: true });
const pair = fc.record({
  policyChosen: logProb,
  policyRejected: logProb,
  referenceChosen: logProb,
  referenceRejected: logProb,
  chosenTokens: fc.integer({ min: 1, max: 60 }),
  rejectedTokens: fc.integer({ min: 1, max: 60 }),
});
type Pair = typeof pair extends fc.Arbitrary<infer P> ? P : never;
const pairs = fc.array(pair, { minLength: 1, maxLength: 9 });
const anyOptions = fc.record({
  beta: fc.double({ min: 0.01, max: 2, noNaN: true }),
  lossType: fc.subarray(names, { minLength: 1 }),
  labelSmoothing: fc.double({ min: 0, max: 0.45, noNaN: true }),
  dpopLambda: fc.double({ min: 0, max: 50, noNaN: true }),
}).map(forLosses);

/** Options without a label smoothing that none of their losses reads. */
function forLosses<Options extends { lossType: LossType[]; labelSmoothing: number }>(
  options: Options,
): Options {
  const smooths = options.lossType.some((name) => name === "sigmoid" || name === "robust");
  return smooths ? options : { ...options, labelSmoothing: 0 };
}

function columns(rows: Pair[]): PairLogProbs {
  const column = (key: keyof Pair) => rows.map((row) => row[key]);
  return {
    policyChosen: column("policyChosen"),
    policyRejected: column("policyRejected"),
    referenceChosen: column("referenceChosen"),
    referenceRejected: column("referenceRejected"),
    chosenTokens: column("chosenTokens"),
    rejectedTokens: column("rejectedTokens"),
  };
}

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

for (const [i, { name, options, logProbs, ...wanted }] of golden.cases.entries()) {
  Deno.test(`dpoLoss() equals the golden values of ${name} (case ${i})`, () => {
    const result = dpoLoss(logProbs, options);
    assertClose(result.loss, wanted.loss, { relative: 1e-9 });
    assertClose(result.gradChosen, wanted.gradChosen, { absolute: 1e-12, relative: 1e-9 });
    assertClose(result.gradRejected, wanted.gradRejected, { absolute: 1e-12, relative: 1e-9 });
    if (!wanted.metrics) return;
    const mean = (values: ArrayLike<number>) =>
      Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    for (
      const [key, rewards] of Object.entries({
        "rewards/chosen": result.chosenRewards,
        "rewards/rejected": result.rejectedRewards,
      })
    ) {
      assertClose(mean(rewards), wanted.metrics[key], { relative: 1e-5 });
    }
  });
}

Deno.test("dpoLoss() gives ln 2 when the policy equals the reference", () => {
  fc.assert(fc.property(pairs, anyOptions, (rows, { beta, labelSmoothing, dpopLambda }) => {
    const same = rows.map((row) => ({
      ...row,
      policyChosen: row.referenceChosen,
      policyRejected: row.referenceRejected,
    }));
    for (const lossType of ["sigmoid", "robust", "dpop"] as const) {
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
    assertClose(b.losses, a.losses, { absolute: 1e-8, relative: 1e-8 });
  }));
});

Deno.test("dpoLoss() is antisymmetric: L(m) - L(-m) = -beta m, smoothed and robust alike", () => {
  const margin = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  fc.assert(fc.property(margin, anyOptions, (m, { beta, labelSmoothing: eps }) => {
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
  for (const lossType of names) {
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
  for (const lossType of names) {
    const { loss, gradChosen } = dpoLoss(pairWithMargin(NaN), { beta: 0.1, lossType });
    assertEquals(loss, NaN);
    if (lossType !== "sft") assertEquals(gradChosen[0], NaN, lossType);
  }
});

Deno.test("dpoLoss() has gradients that equal finite differences", () => {
  const h = 1e-4;
  fc.assert(fc.property(pairs, anyOptions, (rows, options) => {
    const at = (key: "policyChosen" | "policyRejected", i: number, by: number) =>
      dpoLoss(columns(rows.map((r, j) => i === j ? { ...r, [key]: r[key] + by } : r)), options)
        .loss;
    const atKink = ({ policyChosen, policyRejected, referenceChosen, referenceRejected }: Pair) => {
      const chosenRatio = policyChosen - referenceChosen;
      const margin = chosenRatio - (policyRejected - referenceRejected);
      return Math.abs(chosenRatio) < 2 * h || Math.abs(1 - options.beta * margin) < 4 * h;
    };
    if (rows.some(atKink)) return; // A difference across a kink says nothing.
    const result = dpoLoss(columns(rows), options);
    for (
      const [key, gradient] of [
        ["policyChosen", result.gradChosen],
        ["policyRejected", result.gradRejected],
      ] as const
    ) {
      const differences = gradient.map((_, i) => (at(key, i, h) - at(key, i, -h)) / (2 * h));
      assertClose(gradient, differences, { absolute: 2e-5, relative: 2e-5 });
    }
  }));
});

Deno.test("dpoLoss() of parts adds up to the whole batch", () => {
  fc.assert(fc.property(pairs, anyOptions, fc.nat(8), (rows, options, cut) => {
    const whole = dpoLoss(columns(rows), options);
    const totals = {
      totalPairs: rows.length,
      totalChosenTokens: rows.reduce((sum, row) => sum + row.chosenTokens, 0),
    };
    const parts = [rows.slice(0, cut), rows.slice(cut)].filter((part) => part.length > 0)
      .map((part) => dpoLoss(columns(part), { ...options, ...totals }));
    for (const key of ["losses", "gradChosen", "gradRejected", "chosenRewards"] as const) {
      assertEquals(parts.flatMap((part) => [...part[key]]), [...whole[key]]);
    }
    assertClose(parts.reduce((sum, part) => sum + part.loss, 0), whole.loss, {
      absolute: 1e-12,
      relative: 1e-12,
    });
  }));
});

Deno.test("dpoLoss() says which option is out of range", () => {
  const logProbs = pairWithMargin(1);
  const messages: [Partial<DpoLossOptions>, string][] = [
    [{ beta: 0 }, "Cannot compute loss: beta must be a number above 0, found 0"],
    [{ beta: NaN }, "Cannot compute loss: beta must be a number above 0, found NaN"],
    [
      { labelSmoothing: 0.5 },
      "Cannot compute loss: label_smoothing must be at least 0 and below 0.5, found 0.5",
    ],
    [{ dpopLambda: -1 }, "Cannot compute loss: dpop_lambda must be 0 or more, found -1"],
    [
      { lossType: "kto" as LossType },
      "Cannot compute loss: loss_type must be one of sigmoid, ipo, hinge, robust, dpop, sft, " +
      'found "kto"',
    ],
    [
      { lossType: ["sigmoid", "sft"], lossWeights: [1] },
      "Cannot combine losses: each of loss_type needs one of loss_weights, found 2 " +
      "(sigmoid,sft) and 1 (1)",
    ],
    ...[0, -1, NaN, Infinity].map((weight): [Partial<DpoLossOptions>, string] => [
      { lossType: ["sigmoid", "sft"], lossWeights: [1, weight] },
      `Cannot compute loss: loss_weights must be finite numbers above 0, found ${weight}`,
    ]),
    [
      { lossType: ["ipo", "sft"], labelSmoothing: 0.1 },
      "Cannot compute loss: label_smoothing 0.1 would have no effect: it needs loss_type sigmoid " +
      "or robust, found ipo,sft",
    ],
  ];
  for (const [options, message] of messages) {
    const error = thrownBy(() => dpoLoss(logProbs, { beta: 0.1, ...options }));
    assert(error instanceof UserError);
    assertEquals(error.message, message);
  }
});

Deno.test("dpoLoss() refuses vectors of unequal length, no pairs, and missing token counts", () => {
  const { chosenTokens: _, ...withoutTokens } = pairWithMargin(1);
  const wrong: [PairLogProbs, string][] = [
    [{ ...pairWithMargin(1), policyRejected: [1, 2] }, "policyRejected must hold 1, found 2"],
    [{ ...pairWithMargin(1), policyChosen: [] }, "the batch holds no pairs"],
    [withoutTokens, "chosenTokens must hold 1, found undefined"],
  ];
  for (const [logProbs, message] of wrong) {
    const error = thrownBy(() => dpoLoss(logProbs, { beta: 0.1, lossType: "sft" }));
    assertEquals([error.name, error.message], ["RangeError", `Cannot compute loss: ${message}`]);
  }
});
