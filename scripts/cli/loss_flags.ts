import {
  F_DIVERGENCES,
  FORMER_LOSS_NAMES,
  type LossName,
  type LossOptions,
  lossTypes,
} from "../../mod.ts";
import type { Flags, FlagValues } from "./flags.ts";

const names = Object.keys(lossTypes), former = Object.keys(FORMER_LOSS_NAMES);
const widest = Math.max(...names.map(({ length }) => length));

/** The choice of a loss and its knobs, by TRL's names. */
export const lossFlags = {
  beta: { type: "number", above: 0, default: 0.1, help: "Larger holds closer to the reference" },
  loss_type: {
    type: "list",
    choices: [...names, ...former] as LossName[],
    default: ["sigmoid"],
    help: "One loss or several, joined by commas",
    lines: [
      ...Object.entries(lossTypes).map(([name, { summary }]) =>
        `${name.padEnd(widest)}  ${summary}`
      ),
      ...Object.entries(FORMER_LOSS_NAMES).map(([name, now]) =>
        `${name.padEnd(widest)}  TRL's former name of ${now}`
      ),
    ],
  },
  loss_weights: { type: "numbers", above: 0, help: "A weight for each loss (default: all 1)" },
  label_smoothing: {
    type: "number",
    min: 0,
    below: 0.5,
    default: 0,
    help: "Share of pairs believed to be labelled the wrong way",
  },
  f_divergence_type: {
    type: "choice",
    choices: F_DIVERGENCES,
    default: "reverse_kl",
    help: "What the distance from the reference is measured by, for losses of a margin",
  },
  f_alpha_divergence_coef: {
    type: "number",
    help: "Alpha of alpha_divergence: 0 is forward_kl, 1 is reverse_kl (default: 0.5)",
  },
  ld_alpha: {
    type: "number",
    min: 0,
    max: 1,
    help: "Weight of tokens beyond the shorter answer's length (LD-DPO), against long answers " +
      "(default: 1)",
  },
  use_weighting: {
    type: "boolean",
    help: "Weighs pairs by how likely the policy is to write them (WPO); one more forward pass",
  },
  discopop_tau: {
    type: "number",
    above: 0,
    max: 1,
    help: "Width of discopop's blend (default: 0.05)",
  },
  dpop_lambda: { type: "number", min: 0, help: "Strength of dpop's penalty (default: 50)" },
} satisfies Flags;

/** The loss from the flags. */
export function lossOptions(flags: FlagValues<typeof lossFlags>): LossOptions {
  return {
    beta: flags.beta,
    lossType: flags.loss_type,
    lossWeights: flags.loss_weights,
    labelSmoothing: flags.label_smoothing,
    fDivergenceType: flags.f_divergence_type,
    fAlphaDivergenceCoef: flags.f_alpha_divergence_coef,
    ldAlpha: flags.ld_alpha,
    useWeighting: flags.use_weighting,
    discopopTau: flags.discopop_tau,
    dpopLambda: flags.dpop_lambda,
  };
}
