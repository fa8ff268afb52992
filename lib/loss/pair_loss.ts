/** What one pair's loss is made of; in nats, over response tokens. */
export type PairScores = {
  /** `log pi_theta(y_w|x)`, whatever weight `ldAlpha` gives its last tokens. */
  policyChosen: number;
  /** `log pi_theta(y_w|x) - log pi_ref(y_w|x)`, or what another f-divergence makes of it. */
  chosenScore: number;
  /** The same of y_l. */
  rejectedScore: number;
  /** `log pi_theta(y_w|x) - log pi_theta(y_l|x)`. */
  policyMargin: number;
  /** `log pi_ref(y_w|x) - log pi_ref(y_l|x)`. */
  referenceMargin: number;
  /** Predicted tokens of `y_w`, EOS included. */
  chosenTokens: number;
  /** Predicted tokens of `y_l`, EOS included. */
  rejectedTokens: number;
};

/** The knobs of the losses; each loss reads those that its formula names. */
export type PairLossKnobs = {
  beta: number;
  labelSmoothing: number;
  dpopLambda: number;
  discopopTau: number;
  /** Chosen tokens a pair, on average over the batch: what turns `sft` into a mean over tokens. */
  meanChosenTokens: number;
};

/** A pair's loss and its derivatives with respect to the two scores. */
export type PairLoss = {
  loss: number;
  dChosen: number;
  dRejected: number;
  /** With respect to `policyChosen`, of a loss that reads it. */
  dPolicyChosen?: number;
};

/** A loss of one pair: `(scores, knobs) -> loss and derivatives`. */
export type PairLossFunction = (scores: PairScores, knobs: PairLossKnobs) => PairLoss;

/** A loss that compares the pairs of a batch with each other. */
export type BatchLossFunction = (scores: PairScores[], knobs: PairLossKnobs) => PairLoss[];

/** A loss `l(z)` of a difference `z` alone: the two derivatives are opposite. */
export function ofMargin(loss: number, dMargin: number): PairLoss {
  return { loss, dChosen: dMargin, dRejected: -dMargin };
}

/** A loss `l(c) + m(r)` of the two answers, each by itself. */
export function ofAnswers(
  chosen: { loss: number; slope: number },
  rejected: { loss: number; slope: number },
): PairLoss {
  return {
    loss: chosen.loss + rejected.loss,
    dChosen: chosen.slope,
    dRejected: rejected.slope,
  };
}

/** `beta` times the difference of the two scores. */
export function scaledMargin({ chosenScore, rejectedScore }: PairScores, beta: number): number {
  return beta * (chosenScore - rejectedScore);
}
