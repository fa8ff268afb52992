import type { PairRecord, PairsRecord } from "../../lib/evaluate/pairs_record.ts";

/** A pair's rewards: beta times the log-ratios of its answers, in nats times beta. */
export function rewardsOf(
  { policy_chosen, policy_rejected, reference_chosen, reference_rejected }: PairRecord,
  beta: number,
): { chosen: number; rejected: number; margin: number } {
  const chosen = beta * (policy_chosen - reference_chosen);
  const rejected = beta * (policy_rejected - reference_rejected);
  return { chosen, rejected, margin: chosen - rejected };
}

/** Which way a pair is ranked by its margin. */
export function rankOf(margin: number): "right" | "wrong" | "tie" {
  return margin > 0 ? "right" : margin < 0 ? "wrong" : "tie";
}

/** All pairs' rewards. */
export function allRewards({ pairs, beta }: PairsRecord) {
  return pairs.map((pair) => rewardsOf(pair, beta));
}
