import type { PreferenceMetrics } from "../types.ts";

/** Something that the user should know, said once. */
export type Warning = { code: string; message: string };

/** Steps that a judgement about the course of training rests on. */
const WINDOW = 20;
/** Mean fall of the chosen answers' log-probability that is worth a warning, in nats. */
const CHOSEN_FALL = 1;
const LARGE_RATE = 1e-5;
/** Share of the machine's memory above which it is about to run out. */
const MEMORY_SHARE = 0.9;

/** What is known before training starts. */
export function settingsWarnings({ learningRate }: { learningRate: number }): Warning[] {
  if (learningRate <= LARGE_RATE) return [];
  return [{
    code: "learning_rate",
    message:
      `Learning rate ${learningRate} is above 1e-5: DPO may push both answers down and the ` +
      "model into gibberish. 5e-6 is the standard, 1e-6 the cautious rate; small models with LoRA " +
      'bear more. Watch "logps/chosen" and read what the model writes.',
  }];
}

/**
 * Watches a run and names what goes wrong, each thing once: the original system's troubleshooting
 * table, seen by the program itself.
 */
export function createGuards() {
  const said = new Set<string>(), window: PreferenceMetrics[] = [];
  const once = (code: string, bad: boolean, message: string): Warning[] => {
    if (!bad || said.has(code)) return [];
    said.add(code);
    return [{ code, message }];
  };
  const mean = (key: "chosenPreference" | "drift/chosen") =>
    window.reduce((sum, metrics) => sum + metrics[key] * metrics.pairs, 0) /
    window.reduce((sum, metrics) => sum + metrics.pairs, 0);

  return {
    /** Judges a step by the last steps' means; `progress` is the share of the run that is done. */
    afterStep(metrics: PreferenceMetrics, progress: number): Warning[] {
      window.push(metrics);
      if (window.length > WINDOW) window.shift();
      if (window.length < WINDOW) return [];
      const preference = mean("chosenPreference"), drift = mean("drift/chosen");
      const percent = `${Math.round(100 * preference)} %`;
      return [
        ...once(
          "chosen_falls",
          drift < -CHOSEN_FALL,
          `The chosen answers themselves lose likelihood (${
            drift.toFixed(1)
          } nats on average): the ` +
            "model may write worse while preference rises. Mix in an SFT term (--loss_type " +
            "sigmoid,sft --loss_weights 1,1), use --loss_type dpop, or lower --learning_rate.",
        ),
        ...once(
          "preference_stuck",
          progress > 0.5 && Math.abs(preference - 0.5) < 0.03,
          `Chosen Preference stays at ${percent} after half of the run: nothing is learned yet. Try ` +
            "another --learning_rate (up by 10 if the loss stands still, down if it jumps), more " +
            "epochs, or check that chosen and rejected differ in what you want taught.",
        ),
        ...once(
          "preference_high",
          preference >= 0.95,
          `Chosen Preference reached ${percent}: it may be overfitting, and preference alone does ` +
            "not show what the model writes. Compare samples, and stop earlier or raise --beta.",
        ),
      ];
    },
    /** Compares what the process holds with what the machine has, both in bytes. */
    afterMemory(usedBytes: number, machineBytes: number): Warning[] {
      return once(
        "memory",
        usedBytes > MEMORY_SHARE * machineBytes,
        `Memory is about to run out (${gib(usedBytes)} of ${
          gib(machineBytes)
        } GiB): restart with a ` +
          "smaller --batch_size and more --gradient_accumulation_steps, or --gradient_checkpointing.",
      );
    },
  };
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
