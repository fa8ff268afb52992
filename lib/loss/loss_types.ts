import {
  dpopLoss,
  hingeLoss,
  ipoLoss,
  type PairLossFunction,
  robustLoss,
  sftLoss,
  sigmoidLoss,
} from "./pair_losses.ts";

/** A loss by name: its function, and what it is for in one sentence. */
export type LossEntry = {
  loss: PairLossFunction;
  summary: string;
  needsTokens?: boolean;
  /** Whether the loss reads `labelSmoothing`; with no other one may be asked for it. */
  smooths?: boolean;
};

/** The losses that `--loss_type` knows. */
export const lossTypes = {
  sigmoid: {
    loss: sigmoidLoss,
    summary: "DPO; with label smoothing cDPO, for noisy labels",
    smooths: true,
  },
  ipo: {
    loss: ipoLoss,
    summary: "pulls the margin a token to 1/(2 beta), so that it cannot grow without end",
    needsTokens: true,
  },
  hinge: { loss: hingeLoss, summary: "stops at pairs whose scaled margin is above 1" },
  robust: {
    loss: robustLoss,
    summary: "unbiased where label_smoothing is the share of flips",
    smooths: true,
  },
  dpop: {
    loss: dpopLoss,
    summary: "DPO-Positive: punishes chosen answers that become less likely",
  },
  sft: {
    loss: sftLoss,
    summary: "likelihood of the chosen answers, an anchor beside another loss",
    needsTokens: true,
  },
} satisfies Record<string, LossEntry>;

/** The name of a loss, see {@link lossTypes}. */
export type LossType = keyof typeof lossTypes;
