import process from "node:process";
import { learningRateAt, type LearningRateAtOptions } from "../optim/schedule.ts";
import { formatNumber } from "../format_number.ts";
import { dpoLoss } from "../loss/dpo_loss.ts";
import type { LossOptions } from "../loss/loss_options.ts";
import type { PreferenceMetrics } from "../types.ts";

/** Something that the user should know, said once. */
export type Warning = { code: string; message: string };

/** Steps that a judgement about the course of training rests on. */
const WINDOW = 20;
/** Steps that suffice at the end of a run that had no more. */
const SHORT_RUN = 5;
/** Mean fall of the chosen answers' log-probability that is worth a warning, in nats. */
const CHOSEN_FALL = 1;
/** How near to one half Chosen Preference counts as stuck. */
const STUCK = 0.03;
/** Chosen Preference below which a policy has learned the opposite. */
const REVERSED = 0.35;
const HIGH_PREFERENCE = 0.95;
/** Mean distance, in nats, by which the answers must have parted before a high preference says much. */
const PARTED = 1;
const LARGE_RATE = 1e-5;
/** Share of the machine's memory that is about to run out when less is left. */
const MEMORY_SHARE = 0.1;

/** What is known before training starts. */
export function settingsWarnings({ learningRate }: { learningRate: number }): Warning[] {
  if (learningRate <= LARGE_RATE) return [];
  return [{
    code: "learning_rate",
    message:
      `Learning rate ${
        formatNumber(learningRate)
      } is above 1e-5: DPO may push both answers down and the ` +
      "model into gibberish. 5e-6 is the standard, 1e-6 the cautious rate; small models with LoRA " +
      'bear more. Watch "logps/chosen" and read what the model writes.',
  }];
}

/** Tells of a loss whose first push, where the policy is the reference, is the wrong way. */
export function startWarnings(loss: LossOptions): Warning[] {
  const same = {
    ...{ policyChosen: [0], policyRejected: [0], referenceChosen: [0], referenceRejected: [0] },
    ...{ policyChosenTail: [0], policyRejectedTail: [0] },
    ...{ referenceChosenTail: [0], referenceRejectedTail: [0] },
    ...{ chosenTokens: [1], rejectedTokens: [1], pairWeights: [1] },
  };
  if (dpoLoss(same, loss).gradChosen[0] <= 0) return [];
  const message =
    "This loss begins by making chosen answers less likely, for its slope at a margin of 0 points " +
    "the wrong way: a run from the reference on may end with the rejected answers preferred. Of " +
    "discopop a wider --discopop_tau (0.2), or another loss mixed in (--loss_type " +
    "discopop,sigmoid --loss_weights 1,2), turns it.";
  return [{ code: "wrong_start", message }];
}

/** Tells of a run that changes nothing: warm-up begins at rate 0, and there is no other step. */
export function rateWarnings(
  steps: number,
  options: Omit<LearningRateAtOptions, "totalSteps">,
): Warning[] {
  const rates = Array.from(
    { length: Math.min(steps, 2) },
    (_, step) => learningRateAt(step, { ...options, totalSteps: steps }),
  );
  if (rates.some((rate) => rate > 0)) return [];
  const message =
    "Every step of this run has learning rate 0, for warm-up begins there: nothing is " +
    "trained. More steps, or --warmup_ratio 0, change that.";
  return [{ code: "no_rate", message }];
}

/** Tells of rows that are longer than what the model was made for; `lengths` counts their tokens. */
export function lengthWarnings(lengths: number[], maxPositions: number): Warning[] {
  const long = lengths.filter((length) => length > maxPositions);
  if (long.length === 0) return [];
  const message = `${long.length} of ${lengths.length} rows are longer than the ${maxPositions} ` +
    `tokens that this model was made for (the longest has ${
      long.reduce((a, b) => Math.max(a, b))
    }): what it does ` +
    "beyond them is a guess. Lower --max_length, or leave those rows out.";
  return [{ code: "long_rows", message }];
}

/** What the preference guards read of a step. */
export type GuardedMetrics = Pick<
  PreferenceMetrics,
  "chosenPreference" | "drift/chosen" | "drift/rejected" | "pairs"
>;

/**
 * Watches a DPO run and names what goes wrong, each thing once: the original system's
 * troubleshooting table, seen by the program itself. The function that is returned judges a step by
 * the last steps' means, a run of few steps at its end; `progress` is the share of the run that is
 * done.
 */
export function createPreferenceGuards(): (m: GuardedMetrics, progress: number) => Warning[] {
  const unsaid = onlyOnce(), window: GuardedMetrics[] = [];
  return (metrics, progress) => {
    window.push(metrics);
    if (window.length > WINDOW) window.shift();
    const wanted = progress < 1 ? WINDOW : SHORT_RUN;
    return window.length < wanted ? [] : unsaid(judge(window, progress));
  };
}

function judge(window: GuardedMetrics[], progress: number): Warning[] {
  const mean = (key: "chosenPreference" | "drift/chosen" | "drift/rejected") =>
    window.reduce((sum, metrics) => sum + metrics[key] * metrics.pairs, 0) /
    window.reduce((sum, metrics) => sum + metrics.pairs, 0);
  const preference = mean("chosenPreference"), drift = mean("drift/chosen");
  const percent = `${Math.round(100 * preference)} %`, warnings: Warning[] = [];
  if (drift < -CHOSEN_FALL) {
    const message =
      `The chosen answers themselves lose likelihood (${drift.toFixed(1)} nats on average): the ` +
      "model may end in gibberish while preference rises. Mix in an SFT term, or raise " +
      "its weight (--loss_type sigmoid,sft --loss_weights 1,4), use --loss_type dpop, lower --learning_rate, or hold it " +
      "closer to the reference (--beta 0.5, or 1.0).";
    warnings.push({ code: "chosen_falls", message });
  }
  if (progress > 0.5 && Math.abs(preference - 0.5) < STUCK) {
    const message =
      `Chosen Preference stays at ${percent} after half of the run: nothing is learned yet. If the ` +
      "loss jumps, try --learning_rate 1e-6 or --beta 0.5; if it stands still, up to ten times the " +
      "rate or more epochs. Check that chosen and rejected differ in what you want taught.";
    warnings.push({ code: "preference_stuck", message });
  }
  if (progress > 0.5 && preference < REVERSED) {
    const message =
      `Chosen Preference is ${percent} after half of the run: the policy has learned to like the ` +
      'rejected answers better. Look whether "chosen" and "rejected" changed places in the file, ' +
      "and at the loss: discopop may do this at small margins.";
    warnings.push({ code: "preference_reversed", message });
  }
  if (preference >= HIGH_PREFERENCE && drift - mean("drift/rejected") >= PARTED) {
    const message =
      `Chosen Preference reached ${percent}: it may be overfitting, and preference alone does ` +
      "not show what the model writes. Compare samples, and stop earlier or raise --beta.";
    warnings.push({ code: "preference_high", message });
  }
  return warnings;
}

/** What is left of the machine's memory, and all of it, in bytes. */
export type MemoryReading = { available: number; total: number };

/** Reads the machine's memory; undefined where this process may not. */
export function memoryReader(): (() => MemoryReading) | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  return state === "granted" ? () => Deno.systemMemoryInfo() : undefined;
}

/**
 * Warns once when less than a tenth of the machine's memory is left, whoever took it.
 *
 * Not seen are a container's own limit (cgroup), whose file lies outside of what the scripts may
 * read, and a graphics card's memory.
 */
export function createMemoryGuard(readMemory?: () => MemoryReading): () => Warning[] {
  const unsaid = onlyOnce();
  return () => {
    const memory = readMemory?.();
    if (!memory || memory.available >= MEMORY_SHARE * memory.total) return [];
    const left = `${gib(memory.available)} of ${gib(memory.total)} GiB are left`;
    const message = `Memory is about to run out (${left}): restart with a smaller --batch_size ` +
      "and more --gradient_accumulation_steps, or --gradient_checkpointing.";
    return unsaid([{ code: "memory", message }]);
  };
}

/** The most memory that this process ever held, in bytes. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Lets each kind of warning pass the first time. */
function onlyOnce(): (warnings: Warning[]) => Warning[] {
  const said = new Set<string>();
  return (warnings) => {
    const fresh = warnings.filter(({ code }) => !said.has(code));
    fresh.forEach(({ code }) => said.add(code));
    return fresh;
  };
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
