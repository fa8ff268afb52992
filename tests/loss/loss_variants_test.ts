import fc from "fast-check";
import { dpoLoss, type DpoLossOptions } from "../../lib/loss/dpo_loss.ts";
import { F_DIVERGENCES } from "../../lib/loss/f_divergence.ts";
import { type LossEntry, lossTypes } from "../../lib/loss/loss_types.ts";
import { wpoWeights } from "../../lib/loss/wpo_weights.ts";
import { createRandom, shuffle } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import {
  anyOptions,
  columns,
  forLosses,
  LOSS_NAMES,
  type Pair,
  pairs,
  pairWithMargin,
} from "./any_pairs.ts";

const NEAR = { absolute: 1e-9, relative: 1e-9 };
const beta = fc.double({ min: 0.01, max: 2, noNaN: true });
const DIVERGING = LOSS_NAMES.filter((name) => (lossTypes[name] as LossEntry).takesDivergence);

const lossOf = (rows: Pair[], options: DpoLossOptions) => dpoLoss(columns(rows), options).loss;
/** Both answers change places and their log-ratios their signs. */
const mirrored = (row: Pair): Pair => ({
  ...row,
  policyChosen: row.referenceRejected,
  referenceChosen: row.policyRejected,
  policyRejected: row.referenceChosen,
  referenceRejected: row.policyChosen,
});

Deno.test("bco_pair, sppo_hard and apo_zero treat the two answers as mirrors of each other", () => {
  fc.assert(fc.property(pairs, beta, (rows, beta) => {
    for (const lossType of ["bco_pair", "sppo_hard", "apo_zero"] as const) {
      const [one, other] = [rows, rows.map(mirrored)].map((r) => lossOf(r, { beta, lossType }));
      assertClose(one, other, NEAR);
    }
  }));
});

Deno.test("apo_zero of a pair and of the same pair swapped add up to 2", () => {
  fc.assert(fc.property(pairs, beta, (rows, beta) => {
    const swapped = rows.map((row): Pair => ({
      ...row,
      policyChosen: row.policyRejected,
      policyRejected: row.policyChosen,
      referenceChosen: row.referenceRejected,
      referenceRejected: row.referenceChosen,
    }));
    const [one, other] = [rows, swapped].map((r) => lossOf(r, { beta, lossType: "apo_zero" }));
    assertClose(one + other, 2, NEAR);
  }));
});

Deno.test("exo_pair is 0 where the policy prefers as much as the labels, and above elsewhere", () => {
  for (const labelSmoothing of [0.01, 0.3]) {
    const right = Math.log((1 - labelSmoothing) / labelSmoothing) / 0.5;
    const at = (margin: number) =>
      dpoLoss(pairWithMargin(margin), { beta: 0.5, lossType: "exo_pair", labelSmoothing });
    assertClose([at(right).loss, at(right).gradChosen[0]], [0, 0], { absolute: 1e-14 });
    assert(at(right - 0.1).loss > 0 && at(right + 0.1).loss > 0);
  }
});

Deno.test("aot sees distributions: another pairing, or order, of the same answers is the same", () => {
  fc.assert(fc.property(pairs, beta, fc.nat(), (rows, beta, seed) => {
    const order = shuffle([...rows.keys()], createRandom(seed));
    const moved = order.map((row) => rows[row]);
    const repaired = rows.map((row, i): Pair => ({
      ...row,
      policyRejected: moved[i].policyRejected,
      referenceRejected: moved[i].referenceRejected,
    }));
    assertClose(
      lossOf(moved, { beta, lossType: "aot" }),
      lossOf(rows, { beta, lossType: "aot" }),
      NEAR,
    );
    const unpaired = { beta, lossType: "aot_unpaired" as const };
    assertClose(lossOf(repaired, unpaired), lossOf(rows, unpaired), NEAR);
  }));
});

Deno.test("aot, aot_unpaired and sigmoid_norm are sigmoid for one pair, and answers of one token", () => {
  fc.assert(fc.property(pairs, beta, ([row], beta) => {
    const one = [{ ...row, chosenTokens: 1, rejectedTokens: 1 }];
    const wanted = dpoLoss(columns(one), { beta });
    for (const lossType of ["aot", "aot_unpaired", "sigmoid_norm"] as const) {
      const found = dpoLoss(columns(one), { beta, lossType });
      assertClose(found.loss, wanted.loss, NEAR);
      assertClose(found.gradRejected, wanted.gradRejected, NEAR);
    }
  }));
});

Deno.test("discopop goes over from an exponential to DPO as the margin falls", () => {
  const at = (margin: number) =>
    dpoLoss(pairWithMargin(margin), { beta: 1, lossType: "discopop" }).loss;
  assertClose(at(5), Math.exp(-5), { relative: 1e-12 });
  assertClose(at(-5), Math.log1p(Math.exp(5)), { relative: 1e-12 });
});

Deno.test("a mix is the weighted sum of its losses", () => {
  fc.assert(fc.property(pairs, anyOptions, fc.nat(1000), (rows, options, seed) => {
    const weights = options.lossType.map((_, i) => 0.1 + (seed * (i + 1)) % 7);
    const mix = dpoLoss(columns(rows), { ...options, lossWeights: weights });
    const parts = options.lossType.map((name) => {
      const own = forLosses({ ...options, lossType: [name] });
      return dpoLoss(columns(rows), { ...own, useWeighting: options.useWeighting });
    });
    for (const key of ["losses", "gradChosen", "gradRejectedTail"] as const) {
      const wanted = rows.map((_, i) =>
        parts.reduce((sum, part, k) => sum + weights[k] * part[key][i], 0)
      );
      assertClose(mix[key], wanted, { absolute: 1e-12, relative: 1e-9, message: key });
    }
  }));
});

Deno.test("ldAlpha 1 is the whole sum, 0 does not see the tails", () => {
  fc.assert(fc.property(pairs, anyOptions, (rows, options) => {
    const { ldAlpha: _, ...whole } = options;
    assertEquals(lossOf(rows, { ...options, ldAlpha: 1 }), lossOf(rows, whole));
    if (options.lossType.includes("sft")) return;
    const longer = rows.map((row) => ({
      ...row,
      policyChosen: row.policyChosen - 7,
      policyChosenTail: row.policyChosenTail - 7,
    }));
    const [one, other] = [rows, longer].map((r) => lossOf(r, { ...options, ldAlpha: 0 }));
    assertClose(other, one, { absolute: 1e-8, relative: 1e-8 });
  }));
});

Deno.test("the rewards are those that the loss sees: with ldAlpha without the tails", () => {
  const sums = {
    policyChosen: [-5],
    policyRejected: [-9],
    referenceChosen: [-6],
    referenceRejected: [-8],
  };
  const tails = {
    policyChosenTail: [-1],
    policyRejectedTail: [0],
    referenceChosenTail: [-4],
    referenceRejectedTail: [0],
  };
  const { chosenRewards, rejectedRewards } = dpoLoss({ ...sums, ...tails }, {
    beta: 1,
    ldAlpha: 0,
  });
  assertEquals([chosenRewards[0], rejectedRewards[0]], [-2, -1]); // (-5 + 1) - (-6 + 4), -9 + 8
});

Deno.test("f-divergences have scores whose slopes equal finite differences, 0 at 0", () => {
  const ratio = fc.double({ min: -8, max: 8, noNaN: true }), h = 1e-5;
  const alpha = fc.double({ min: -1, max: 2, noNaN: true });
  const options = { beta: 1, lossType: "sigmoid" } as const;
  fc.assert(fc.property(ratio, alpha, fc.constantFrom(...F_DIVERGENCES), (m, alpha, type) => {
    const divergence = {
      fDivergenceType: type,
      ...(type === "alpha_divergence" && { fAlphaDivergenceCoef: alpha }),
    };
    const at = (margin: number) => dpoLoss(pairWithMargin(margin), { ...options, ...divergence });
    const difference = (at(m + h).loss - at(m - h).loss) / (2 * h);
    assertClose(at(m).gradChosen[0], difference, { absolute: 1e-5, relative: 1e-5 });
    assertEquals(at(0).loss, Math.LN2);
    assertEquals(at(0).gradChosen[0], -0.5 * (type === "js_divergence" ? 0.5 : 1));
  }));
});

Deno.test("alpha_divergence is forward_kl at 0 and reverse_kl at 1", () => {
  fc.assert(fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (margin) => {
    const logProbs = pairWithMargin(margin);
    const alpha = (coef: number) =>
      dpoLoss(logProbs, {
        beta: 1,
        fDivergenceType: "alpha_divergence",
        fAlphaDivergenceCoef: coef,
      });
    assertEquals(alpha(0), dpoLoss(logProbs, { beta: 1, fDivergenceType: "forward_kl" }));
    assertEquals(alpha(1), dpoLoss(logProbs, { beta: 1 }));
    assertClose(alpha(1 + 1e-5).loss, alpha(1).loss, { absolute: 1e-2 });
  }));
});

Deno.test("losses are finite at log-ratios of +-1e4 under every f-divergence", () => {
  for (const lossType of DIVERGING) {
    for (const fDivergenceType of F_DIVERGENCES) {
      for (const margin of [-1e4, 1e4]) {
        const options = { beta: 1, lossType: [lossType], labelSmoothing: 0.1, fDivergenceType };
        const result = dpoLoss(pairWithMargin(margin), forLosses(options));
        for (const value of [result.loss, result.gradChosen[0], result.gradRejected[0]]) {
          assert(Number.isFinite(value), `${lossType}, ${fDivergenceType} at ${margin}: ${value}`);
        }
      }
    }
  }
});

Deno.test("useWeighting multiplies each pair's loss and slopes by its weight", () => {
  fc.assert(fc.property(pairs, anyOptions, (rows, { useWeighting: _, ...options }) => {
    const useWeighting = true,
      isWeighable = options.lossType.every((name) =>
        (lossTypes[name] as LossEntry).unweighable === undefined
      );
    if (!isWeighable) return;
    const plain = dpoLoss(columns(rows), options);
    const weighted = dpoLoss(columns(rows), { ...options, useWeighting });
    for (const key of ["losses", "gradChosen", "gradRejected"] as const) {
      assertClose(weighted[key], plain[key].map((x, i) => x * rows[i].pairWeights), NEAR);
    }
    assertEquals(weighted.chosenRewards, plain.chosenRewards);
  }));
});

Deno.test("wpoWeights() is 0, not NaN, for an answer that the policy would never write", () => {
  const inputs = {
    chosenSquares: [-3],
    rejectedSquares: [-3],
    chosenTokens: [2],
    rejectedTokens: [2],
  };
  const weigh = (policyChosen: number) =>
    wpoWeights({ ...inputs, policyChosen: [policyChosen], policyRejected: [-3] })[0];
  assertEquals([weigh(-1e4), weigh(-3)], [0, 1]);
  assertClose(weigh(-5), Math.exp(-1), { relative: 1e-12 });
});
