import fc from "fast-check";
import type { DpoLossOptions, PairLogProbs } from "../../lib/loss/dpo_loss.ts";
import { type LossEntry, type LossType, lossTypes } from "../../lib/loss/loss_types.ts";

export const LOSS_NAMES = Object.keys(lossTypes) as LossType[];

/** A pair whose margin before beta is `margin`: only the chosen answer differs from the reference. */
export function pairWithMargin(margin: number): PairLogProbs {
  return {
    policyChosen: [margin],
    policyRejected: [0],
    referenceChosen: [0],
    referenceRejected: [0],
    chosenTokens: [4],
    rejectedTokens: [3],
  };
}

export const logProb: fc.Arbitrary<number> = fc.double({ min: -300, max: 0, noNaN: true });

/** A pair as one row: its sums, what of them are tails, its tokens, its weight. */
export type Pair = { [K in keyof PairLogProbs]-?: number };

const sums = fc.record({
  policyChosen: logProb,
  policyRejected: logProb,
  referenceChosen: logProb,
  referenceRejected: logProb,
  policyChosenTail: logProb,
  policyRejectedTail: logProb,
  referenceChosenTail: logProb,
  referenceRejectedTail: logProb,
  chosenTokens: fc.integer({ min: 1, max: 60 }),
  rejectedTokens: fc.integer({ min: 1, max: 60 }),
  pairWeights: fc.double({ min: 0, max: 2, noNaN: true }),
});
export const pairs: fc.Arbitrary<Pair[]> = fc.array(sums, { minLength: 1, maxLength: 9 });

export type AnyOptions = Omit<DpoLossOptions, "lossType"> & { lossType: LossType[] };

/** Options that go together: one to all losses, with whatever they all take. */
export const anyOptions: fc.Arbitrary<AnyOptions> = fc.record({
  beta: fc.double({ min: 0.01, max: 2, noNaN: true }),
  lossType: fc.subarray(LOSS_NAMES, { minLength: 1, maxLength: 3 }),
  labelSmoothing: fc.double({ min: 1e-6, max: 0.45, noNaN: true }),
  dpopLambda: fc.double({ min: 0, max: 50, noNaN: true }),
  discopopTau: fc.double({ min: 0.05, max: 1, noNaN: true }),
  ldAlpha: fc.constantFrom(0, 0.3, 1),
  useWeighting: fc.boolean(),
}).map(forLosses);

/** Options without those that none of their losses reads, or that one of them can't take. */
export function forLosses(options: AnyOptions): AnyOptions {
  const entries = options.lossType.map((name): LossEntry => lossTypes[name]);
  const kept = { ...options };
  for (const knob of ["labelSmoothing", "dpopLambda", "discopopTau"] as const) {
    if (!entries.some(({ reads }) => reads?.includes(knob))) delete kept[knob];
  }
  if (entries.some(({ unweighable }) => unweighable)) delete kept.useWeighting;
  return kept;
}

/** Rows as the vectors that `dpoLoss` takes. */
export function columns(rows: Pair[]): Required<PairLogProbs> {
  const keys = Object.keys(rows[0]) as (keyof Pair)[];
  const entries = keys.map((key) => [key, rows.map((row) => row[key])]);
  return Object.fromEntries(entries) as Required<PairLogProbs>;
}
