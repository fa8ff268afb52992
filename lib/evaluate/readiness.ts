import { formatCount } from "../format_count.ts";
import type { EvaluationRecord } from "./evaluation_schema.ts";
import { nats, percent } from "./figures.ts";
import { signOf } from "./judge_generation.ts";
import { type ReadinessWarning, warningsOf } from "./readiness_warnings.ts";
import { preferenceOf, type RunStats } from "./run_stats.ts";
import { FEWEST_PROMPTS } from "./verdict.ts";

/** One thing that a run is judged by. */
export type ReadinessCheck = {
  name: string;
  /** `unknown` where it was not measured, or too little was. */
  status: "pass" | "fail" | "unknown";
  /** What was measured. */
  figure: string;
  reason: string;
  /** The next thing to try; null where nothing has to be. */
  next: string | null;
};

/** Whether a run is ready, and why. */
export type Readiness = {
  /** Whether every check passed. */
  ready: boolean;
  /** `unknown` where nothing failed, but not all could be judged. */
  verdict: "ready" | "not ready" | "unknown";
  checks: ReadinessCheck[];
  warnings: ReadinessWarning[];
};

const LEAST_PREFERENCE = 0.8;
/** Steps below which a course of the loss can't be told from chance. */
const FEWEST_STEPS = 10;
/** How far validation may lag behind training: of Chosen Preference, and of the loss's best epoch. */
const PREFERENCE_LAG = 0.1, LOSS_RISE = 0.02;
/** Some losses go to zero and below: a rise is measured by this much at least. */
const SMALL_LOSS = 0.05;
const MOST_GIBBERISH = 0.05, MOST_CHANGE = 0.05;

/**
 * Judges whether a trained model is ready, by what it writes and never by preference alone: the loss
 * falls, held-out pairs are told apart, validation follows training, fewer details are made up than
 * by Stage A beyond chance, and no text is gibberish. Without an evaluation, or with one of fewer
 * than 30 prompts, what it writes is unknown and it can't be ready.
 *
 * @param stats What `dpo_training_stats.json` holds.
 * @param evaluation What `evaluation.json` holds; null where nothing was evaluated.
 *
 * @example A run that nobody evaluated is not ready, whatever its preference.
 * ```ts
 * import assert from "node:assert/strict";
 * import { readiness } from "./readiness.ts";
 * const metrics = { loss: 0.3, chosenPreference: 0.93 };
 * const steps = Array.from({ length: 40 }, (_, i) => ({ step: i + 1, loss: 0.7 - i / 100 }));
 * const epochs = [{ epoch: 1, train: metrics, validation: metrics }];
 * const { ready, checks } = readiness({ settings: {}, epochs, steps }, null);
 * assert.equal(ready, false);
 * assert.deepEqual(checks.map(({ status }) => status), [
 *   "pass",
 *   "pass",
 *   "pass",
 *   "unknown",
 *   "unknown",
 * ]);
 * ```
 */
export function readiness(stats: RunStats, evaluation: EvaluationRecord | null): Readiness {
  const checks = [
    lossConverges(stats),
    prefersChosen(stats, evaluation),
    validationFollows(stats),
    ...(evaluation && evaluation.prompts >= FEWEST_PROMPTS
      ? [fewerHallucinations(evaluation), noGibberish(evaluation)]
      : notMeasured(evaluation)),
  ];
  const isReady = checks.every(({ status }) => status === "pass");
  const isFailed = checks.some(({ status }) => status === "fail");
  return {
    ready: isReady,
    verdict: isReady ? "ready" : isFailed ? "not ready" : "unknown",
    checks,
    warnings: warningsOf(stats, evaluation),
  };
}

function lossConverges({ steps }: RunStats): ReadinessCheck {
  const name = "loss converges";
  const unstable = steps.find(({ loss }) => !Number.isFinite(loss));
  if (unstable) {
    const reason = `the loss is not a number from step ${unstable.step} on`;
    return { name, status: "fail", figure: "NaN", reason, next: "lower --learning_rate" };
  }
  if (steps.length < FEWEST_STEPS) {
    return {
      ...{ name, status: "unknown", figure: formatCount(steps.length, "step") },
      reason: `fewer than ${FEWEST_STEPS} steps tell nothing of its course`,
      next: "train for longer (--num_epochs, more pairs)",
    };
  }
  const size = Math.max(3, Math.floor(steps.length / 10));
  const first = spread(steps.slice(0, size)), last = spread(steps.slice(-size));
  const fall = first.mean - last.mean, noise = 2 * Math.hypot(first.error, last.error);
  const figure = `${nats(first.mean)} to ${nats(last.mean)}`;
  const over = `over the first and the last ${formatCount(size, "step")}`;
  if (fall > noise) {
    return { name, status: "pass", figure, reason: `it fell, ${over}`, next: null };
  }
  return fall < -noise
    ? {
      ...{ name, status: "fail", figure, reason: `it rose, ${over}` },
      next: "lower --learning_rate, or raise --warmup_ratio",
    }
    : {
      ...{ name, status: "fail", figure },
      reason: `it did not fall by more than its noise, ${over}`,
      next: "raise --learning_rate or --num_epochs",
    };
}

function prefersChosen(stats: RunStats, evaluation: EvaluationRecord | null): ReadinessCheck {
  const name = "Chosen Preference";
  const preference = preferenceOf(stats, evaluation);
  if (preference === null) {
    return {
      ...{ name, status: "unknown", figure: "not measured" },
      reason: "no held-out pairs were judged",
      next: "train with --val_file, or evaluate",
    };
  }
  const figure = percent(preference), isEnough = preference >= LEAST_PREFERENCE;
  return {
    ...{ name, status: isEnough ? "pass" : "fail", figure },
    reason: `of held-out pairs, wanted ${percent(LEAST_PREFERENCE)} or more`,
    next: isEnough
      ? null
      : "raise --learning_rate or --num_epochs; read the pairs that it gets wrong",
  };
}

function validationFollows({ epochs }: RunStats): ReadinessCheck {
  const name = "validation follows";
  const judged = epochs.filter(({ validation }) => validation !== null);
  if (judged.length === 0) {
    return {
      ...{ name, status: "unknown", figure: "not measured" },
      reason: "the run had no validation file",
      next: "train with --val_file",
    };
  }
  const { train, validation } = judged.at(-1)!;
  const losses = judged.map((epoch) => epoch.validation!.loss);
  const best = losses.reduce((a, b) => Math.min(a, b)), last = losses.at(-1)!;
  const figure = `loss ${nats(last)}, training ${nats(train.loss)}`;
  if (last - best > LOSS_RISE * Math.max(Math.abs(best), SMALL_LOSS)) {
    const { epoch } = judged[losses.indexOf(best)];
    return {
      ...{ name, status: "fail", figure },
      reason: `validation loss rose from ${nats(best)} in epoch ${epoch}: it learns by heart`,
      next: `take checkpoint_epoch_${epoch}, or train with more pairs`,
    };
  }
  const lag = train.chosenPreference - validation!.chosenPreference;
  if (!(lag <= PREFERENCE_LAG)) {
    return {
      ...{ name, status: "fail", figure },
      reason: `Chosen Preference is ${percent(train.chosenPreference)} in training, ` +
        `${percent(validation!.chosenPreference)} in validation`,
      next: "train with more pairs, fewer epochs or a smaller --lora_r",
    };
  }
  const reason = judged.length === 1
    ? "Chosen Preference in validation keeps up with training"
    : "validation loss stays at its best, and Chosen Preference keeps up with training";
  return { name, status: "pass", figure, reason, next: null };
}

function fewerHallucinations({ generation, differences }: EvaluationRecord): ReadinessCheck {
  const name = "fewer hallucinations";
  const { hallucination_rate: before } = generation.sft,
    { hallucination_rate: after } = generation.dpo;
  const interval = differences.dpo_sft.intervals.hallucination_rate;
  if (before === null || after === null || !interval) {
    return {
      ...{ name, status: "unknown", figure: "not measured" },
      reason: "there is no clinical detail in what one of the models writes",
      next: "evaluate on prompts like those it was trained for, with a larger --max_new_tokens",
    };
  }
  const sign = signOf({ interval });
  const figure = `${percent(before)} to ${percent(after)}`;
  const ends = interval.map((end) => (100 * end).toFixed(1)).join(" to ");
  const measured = `unsupported details, Stage A and DPO; paired difference ${ends} points`;
  if (sign < 0) return { name, status: "pass", figure, reason: measured, next: null };
  if (before === 0 && sign === 0) {
    return {
      ...{
        name,
        status: "unknown",
        figure,
        reason: "Stage A makes nothing up that could be mended",
      },
      next: "evaluate with --temperature 1, or on harder prompts",
    };
  }
  return {
    ...{ name, status: "fail", figure },
    reason: `${measured}, ${sign > 0 ? "worse beyond chance" : "which includes zero"}`,
    next: sign > 0
      ? "lower --learning_rate, or hold the chosen answers up: --loss_type sigmoid,sft"
      : "train further (--num_epochs, more pairs), or evaluate on more prompts",
  };
}

function noGibberish({ generation: { sft, dpo }, differences }: EvaluationRecord): ReadinessCheck {
  const name = "no gibberish", { intervals } = differences.dpo_sft;
  const change = (key: "repetition" | "stop_rate" | "gibberish_rate") => ({
    size: (dpo[key] ?? 0) - (sft[key] ?? 0),
    sign: signOf({ interval: intervals[key] ?? null }),
  });
  const gibberish = dpo.gibberish_rate ?? 0;
  const figure = `${percent(gibberish)} of texts`;
  const problems = [
    gibberish > MOST_GIBBERISH && change("gibberish_rate").sign > 0 &&
    `Stage A finds them less likely than its own texts, of which ${
      percent(sft.gibberish_rate!)
    } are`,
    change("repetition").size > MOST_CHANGE && change("repetition").sign > 0 &&
    `repeats ${percent(dpo.repetition!)} of its words, Stage A ${percent(sft.repetition!)}`,
    change("stop_rate").size < -MOST_CHANGE && change("stop_rate").sign < 0 &&
    `ends ${percent(dpo.stop_rate!)} of its texts itself, Stage A ${percent(sft.stop_rate!)}`,
  ].filter((problem) => problem !== false);
  if (problems.length === 0) {
    const reason = "texts end, repeat and read as Stage A's do";
    return { name, status: "pass", figure, reason, next: null };
  }
  return {
    ...{ name, status: "fail", figure, reason: problems.join("; ") },
    next: "lower --learning_rate, raise --beta, or add an SFT term: --loss_type sigmoid,sft",
  };
}

function notMeasured(evaluation: EvaluationRecord | null): ReadinessCheck[] {
  const rest = evaluation === null
    ? {
      figure: "not measured",
      reason: "what the model writes was not evaluated, and preference proves nothing of it",
      next: "scripts/evaluate.ts, then name its evaluation.json with --evaluation",
    }
    : {
      figure: formatCount(evaluation.prompts, "prompt"),
      reason: `below ${FEWEST_PROMPTS} prompts the intervals are too narrow to judge by`,
      next: `evaluate on ${FEWEST_PROMPTS} prompts or more`,
    };
  return ["fewer hallucinations", "no gibberish"].map((name) => ({
    ...{ name, status: "unknown" },
    ...rest,
  }));
}

/** The mean of steps' losses, and its standard error. */
function spread(steps: { loss: number }[]): { mean: number; error: number } {
  const mean = steps.reduce((sum, { loss }) => sum + loss, 0) / steps.length;
  const squares = steps.reduce((sum, { loss }) => sum + (loss - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (steps.length - 1) / steps.length) };
}
