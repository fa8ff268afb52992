import { formatCount } from "../format_count.ts";
import type { PreferenceMetrics } from "../types.ts";
import type { EvaluationRecord } from "./evaluation_schema.ts";
import { nats, percent } from "./figures.ts";
import { signOf } from "./judge_generation.ts";
import { preferenceOf, type RunStats } from "./run_stats.ts";
import { verdictOf } from "./verdict.ts";

/** What speaks against trust in a run that may pass its checks. */
export type ReadinessWarning = {
  name: string;
  /** What was measured. */
  figure: string;
  reason: string;
  /** The next thing to try. */
  next: string;
};

const SUSPICIOUS_PREFERENCE = 0.95;

/** Looks for what the checks of a run may hide. */
export function warningsOf(
  stats: RunStats,
  evaluation: EvaluationRecord | null,
): ReadinessWarning[] {
  const preference = preferenceOf(stats, evaluation);
  const warnings: (ReadinessWarning | false)[] = [
    preference !== null && preference >= SUSPICIOUS_PREFERENCE && {
      name: "very high preference",
      figure: percent(preference),
      reason: "it may be overfitting, and says nothing of what the model writes",
      next: "trust the generated texts; raise --beta or train for less if they got worse",
    },
    likelihoodFalls(stats, evaluation),
    areSameRows(stats) && {
      name: "overlap",
      figure: "same rows",
      reason: "validation and training used the same rows: following them proves nothing",
      next: "train with a --val_file of other prompts",
    },
    ...(evaluation ? warningsOfTexts(evaluation) : []),
  ];
  return warnings.filter((warning) => warning !== false);
}

function warningsOfTexts(evaluation: EvaluationRecord): (ReadinessWarning | false)[] {
  const { generation: { sft, dpo }, differences, overlap } = evaluation;
  const { intervals } = differences.dpo_sft;
  const falls = (key: "mean_tokens" | "recall") => signOf({ interval: intervals[key] ?? null }) < 0;
  const { againstControl, isTold } = verdictOf(evaluation);
  return [
    falls("mean_tokens") && {
      name: "shorter notes",
      figure: `${dpo.mean_tokens!.toFixed(1)} tokens, Stage A ${sft.mean_tokens!.toFixed(1)}`,
      reason: "who says less makes up less",
      next: "look at the recall of details; are chosen answers shorter than rejected ones?",
    },
    falls("recall") && {
      name: "says less",
      figure: `recall ${percent(dpo.recall!)}, Stage A ${percent(sft.recall!)}`,
      reason: "fewer of the chosen answers' details are stated",
      next: "hold the chosen answers up: --loss_type sigmoid,sft",
    },
    (overlap.same_file === true || (overlap.prompts ?? 0) > 0) && {
      name: "overlap",
      figure: overlap.same_file ? "same file" : formatCount(overlap.prompts!, "prompt"),
      reason: "it was evaluated on what it was trained on",
      next: "evaluate with a --test_file of other prompts",
    },
    evaluation.generation.control === undefined && {
      name: "no control",
      figure: "not measured",
      reason: "imitating the chosen answers alone might do as well",
      next: "train with --control sft",
    },
    isTold && (againstControl === 0 || againstControl === 1) && {
      name: "nothing added",
      figure: `${percent(dpo.hallucination_rate)}, control ` +
        percent(evaluation.generation.control!.hallucination_rate),
      reason: "DPO added nothing to imitating the chosen answers",
      next: "take the control, or see what evaluate.ts says of the chosen answers",
    },
  ];
}

function likelihoodFalls(
  { epochs }: RunStats,
  evaluation: EvaluationRecord | null,
): ReadinessWarning | false {
  const key = "drift/chosen" satisfies keyof PreferenceMetrics;
  const last = epochs.at(-1), drift = evaluation?.preference[key] ?? last?.validation?.[key];
  const interval = evaluation?.preference.intervals[key];
  const isFalling = interval ? interval[1] < 0 : (drift ?? 0) < 0;
  return isFalling && {
    name: "falling likelihood",
    figure: `${nats(drift!)} nats`,
    reason: "the chosen answers themselves became less likely than under Stage A",
    next: "hold them up: --loss_type sigmoid,sft with a larger weight, or a lower rate",
  };
}

function areSameRows({ settings: { data_sha256, validation_sha256 } }: RunStats): boolean {
  return data_sha256 !== undefined && data_sha256 === validation_sha256;
}
