import {
  apoDownLoss,
  apoZeroLoss,
  bcoPairLoss,
  dpopLoss,
  ncaPairLoss,
  sppoHardLoss,
} from "./answer_losses.ts";
import { discopopLoss, exoPairLoss, hingeLoss, robustLoss, sigmoidLoss } from "./margin_losses.ts";
import type { BatchLossFunction, PairLossFunction } from "./pair_loss.ts";
import { aotLoss, aotUnpairedLoss } from "./sorted_losses.ts";
import { ipoLoss, sftLoss, sigmoidNormLoss } from "./token_losses.ts";

/** A knob that some losses read and others don't. */
export type LossKnob = "labelSmoothing" | "dpopLambda" | "discopopTau";

/** A loss by name: its function, and what it is for in one line. */
export type LossEntry = {
  summary: string;
  needsTokens?: boolean;
  /** The knobs that the loss reads beside beta; no other one may be asked for with it. */
  reads?: readonly LossKnob[];
  /** Whether it stands on the difference of two scores, as an f-divergence needs, or on none. */
  takesDivergence?: boolean;
  /** Why WPO can't weigh its pairs. */
  unweighable?: string;
} & ({ loss: PairLossFunction } | { batchLoss: BatchLossFunction });

/**
 * The losses that `--loss_type` knows, by TRL's names. `c` and `r` are the log-ratios of policy and
 * reference of the chosen and of the rejected answer, `m` and `n` their tokens; `b = beta c`, `a =
 * beta r`, `z = b - a`; `s` is the logistic function; eps, lambda and tau are `label_smoothing`,
 * `dpop_lambda` and `discopop_tau`. Sources are arXiv's numbers. TRL has no eps in `sigmoid` (cDPO: E.
 * Mitchell's note on noisy preferences, Eq. 3) and no `dpop`; the others are as TRL 1.16 has them.
 *
 * | name           | formula                                           | source                  |
 * | -------------- | ------------------------------------------------- | ----------------------- |
 * | `sigmoid`      | `-(1 - eps) log s(z) - eps log s(-z)`             | 2305.18290, Eq. 7; cDPO |
 * | `ipo`          | `(c/m - r/n - 1/(2 beta))^2`                      | 2310.12036, Eq. 17      |
 * | `hinge`        | `max(0, 1 - z)`                                   | 2305.10425 (SLiC-HF)    |
 * | `robust`       | `(eps log s(-z) - (1-eps) log s(z)) / (1-2 eps)`  | 2403.00409              |
 * | `exo_pair`     | `KL([s(z), s(-z)], [1 - eps, eps])`               | 2402.00856, Eq. 16      |
 * | `nca_pair`     | `-log s(b) - (log s(-b) + log s(-a)) / 2`         | 2402.05369              |
 * | `bco_pair`     | `-log s(b) - log s(-a)`                           | 2404.04656, no shift    |
 * | `sppo_hard`    | `(c - 1/(2 beta))^2 + (r + 1/(2 beta))^2`         | 2405.00675, Eq. 4.7     |
 * | `aot`          | `sigmoid` of sorted policy and reference margins  | 2406.05882              |
 * | `aot_unpaired` | `sigmoid` of sorted `c` and sorted `r`            | 2406.05882              |
 * | `apo_zero`     | `1 - s(b) + s(a)`                                 | 2408.06266, Eq. 7       |
 * | `apo_down`     | `s(b) + 1 - s(z)`                                 | 2408.06266, Eq. 8       |
 * | `discopop`     | `(1 - s(z/tau)) (-log s(z)) + s(z/tau) exp(-z)`   | 2406.08414, Eq. 5       |
 * | `sigmoid_norm` | `-log s(beta (c/m - r/n))`                        | 2411.15124, Eq. 6       |
 * | `dpop`         | `-log s(z - beta lambda max(0, -c))`              | 2402.13228              |
 * | `sft`          | mean of `-log pi` over the chosen answers' tokens | 2404.19733 (NLL term)   |
 *
 * Several with weights are a mix: MPO (arXiv 2411.10442) is `sigmoid,bco_pair,sft` with 0.8, 0.2, 1.
 */
export const lossTypes = {
  sigmoid: {
    loss: sigmoidLoss,
    summary: "DPO; with label_smoothing cDPO, for noisy labels",
    reads: ["labelSmoothing"],
    takesDivergence: true,
  },
  ipo: {
    loss: ipoLoss,
    summary: "pulls the margin a token to 1/(2 beta), so it can't grow",
    needsTokens: true,
    takesDivergence: true,
  },
  hinge: {
    loss: hingeLoss,
    summary: "stops at pairs whose scaled margin is above 1",
    takesDivergence: true,
  },
  robust: {
    loss: robustLoss,
    summary: "unbiased where label_smoothing is the share of flips",
    reads: ["labelSmoothing"],
    takesDivergence: true,
  },
  exo_pair: {
    loss: exoPairLoss,
    summary: "EXO: the divergence turned round; wants label_smoothing",
    reads: ["labelSmoothing"],
    takesDivergence: true,
  },
  nca_pair: {
    loss: ncaPairLoss,
    summary: "NCA: keeps the chosen answers likely",
  },
  bco_pair: {
    loss: bcoPairLoss,
    summary: "BCO: tells good from bad, an answer at a time",
  },
  sppo_hard: {
    loss: sppoHardLoss,
    summary: "SPPO: a target of +-1/(2 beta) for each answer",
  },
  aot: {
    batchLoss: aotLoss,
    summary: "sorted margins of a step's pairs; wants large steps",
    reads: ["labelSmoothing"],
    unweighable: "it sorts pairs, after which a weight has no pair",
  },
  aot_unpaired: {
    batchLoss: aotUnpairedLoss,
    summary: "the same for answers, whoever they are paired with",
    reads: ["labelSmoothing"],
    unweighable: "it sorts answers, after which a weight has no pair",
  },
  apo_zero: {
    loss: apoZeroLoss,
    summary: "for chosen answers better than the model's own",
  },
  apo_down: {
    loss: apoDownLoss,
    summary: "for chosen answers worse than the model's own",
  },
  discopop: {
    loss: discopopLoss,
    summary: "found by a language model; wants a discopop_tau of 0.2",
    reads: ["discopopTau"],
    takesDivergence: true,
  },
  sigmoid_norm: {
    loss: sigmoidNormLoss,
    summary: "DPO on means over tokens; wants a larger beta",
    needsTokens: true,
    takesDivergence: true,
  },
  dpop: {
    loss: dpopLoss,
    summary: "DPO-Positive: punishes chosen answers that get less likely",
    reads: ["dpopLambda"],
  },
  sft: {
    loss: sftLoss,
    summary: "likelihood of the chosen answers, an anchor in a mix",
    needsTokens: true,
    takesDivergence: true,
    unweighable: "it is a mean over tokens, not over pairs",
  },
} as const satisfies Record<string, LossEntry>;

/** The name of a loss, see {@link lossTypes}. */
export type LossType = keyof typeof lossTypes;

/** Names that TRL has given up, with today's: `aot_pair` since 0.29. */
export const FORMER_LOSS_NAMES = { aot_pair: "aot_unpaired" } as const;

/** A name by which a loss may be asked for. */
export type LossName = LossType | keyof typeof FORMER_LOSS_NAMES;

/** Today's name of a loss. */
export function currentLossName(name: LossName): LossType {
  return Object.hasOwn(FORMER_LOSS_NAMES, name)
    ? FORMER_LOSS_NAMES[name as keyof typeof FORMER_LOSS_NAMES]
    : name as LossType;
}
