/**
 * Losses that compare distributions: the k-th largest value of a batch with the k-th largest of
 * another kind. They see the pairs of one batch together, and are sharper the larger that is.
 *
 * **Source**: arXiv 2406.05882 (AOT), as TRL 1.16 has it: `-(1 - eps) log sigma(beta d) - eps log
 * sigma(-beta d)`, where `d` is the difference of two values of equal rank and eps is
 * `labelSmoothing`. With one pair in the batch both are `sigmoid`.
 */
import { smoothedSigmoid } from "./margin_losses.ts";
import { ofMargin, type PairLoss, type PairLossKnobs, type PairScores } from "./pair_loss.ts";

/** The policy's margins (chosen less rejected) against the reference's, rank by rank. */
export function aotLoss(scores: PairScores[], knobs: PairLossKnobs): PairLoss[] {
  const upper = ranked(scores.map(({ policyMargin }) => policyMargin));
  const lower = ranked(scores.map(({ referenceMargin }) => referenceMargin));
  const losses: PairLoss[] = [];
  upper.forEach(({ row, value }, rank) => {
    const { loss, slope } = compare(value, lower[rank].value, knobs);
    losses[row] = ofMargin(loss, slope);
  });
  return losses;
}

/**
 * The chosen answers' log-ratios against the rejected ones', rank by rank: who was paired with whom
 * does not matter. A comparison's loss is counted with the pair of its chosen answer.
 */
export function aotUnpairedLoss(scores: PairScores[], knobs: PairLossKnobs): PairLoss[] {
  const upper = ranked(scores.map(({ chosenScore }) => chosenScore));
  const lower = ranked(scores.map(({ rejectedScore }) => rejectedScore));
  const losses = scores.map((): PairLoss => ({ loss: 0, dChosen: 0, dRejected: 0 }));
  upper.forEach(({ row, value }, rank) => {
    const { loss, slope } = compare(value, lower[rank].value, knobs);
    Object.assign(losses[row], { loss, dChosen: slope });
    losses[lower[rank].row].dRejected = -slope;
  });
  return losses;
}

/** The loss of two values of equal rank, and its slope with respect to the upper one. */
function compare(upper: number, lower: number, { beta, labelSmoothing }: PairLossKnobs) {
  const { loss, slope } = smoothedSigmoid(beta * (upper - lower), labelSmoothing);
  return { loss, slope: beta * slope };
}

/** Values in rising order, each with the row that it came from; NaN last. */
function ranked(values: number[]): { row: number; value: number }[] {
  const rows = values.map((value, row) => ({ row, value }));
  return rows.sort((a, b) =>
    a.value < b.value ? -1 : a.value > b.value ? 1 : Number(isNaN(a.value)) - Number(isNaN(b.value))
  );
}
