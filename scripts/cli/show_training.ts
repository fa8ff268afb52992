import { join } from "node:path";
import { findCheckpoint, type TrainEvent, UsageError } from "../../mod.ts";
import { formatEpochBlock } from "./epoch_block.ts";
import type { Progress } from "./progress.ts";
import type { ScriptIo } from "./run_script.ts";

/** How a run is shown: what is counted, and the line at its end. */
export type ShowTrainingOptions = {
  /** Items in a pass: pairs, or examples. */
  size: number;
  unit: string;
  outputDir: string;
  /** The name of the method in the last line. */
  method: "DPO" | "SFT";
};

/**
 * Prints a run's events: progress and warnings on stderr, each epoch's block and where the model
 * went on stdout. Returns the exit code.
 */
export async function showTraining(
  events: AsyncIterable<TrainEvent>,
  io: ScriptIo,
  { size, unit, outputDir, method }: ShowTrainingOptions,
): Promise<number> {
  let progress: Progress | null = null, stepsPerEpoch = 1, shown = "", first = 0;
  const show = (label: string, total: number, start = 0) => {
    if (shown === label) return;
    progress?.end();
    progress = io.progress({ label, total, unit, start });
    shown = label;
  };
  const close = () => {
    progress?.end();
    progress = null;
    shown = "";
  };
  for await (const event of events) {
    switch (event.type) {
      case "start":
        stepsPerEpoch = event.stepsPerEpoch;
        first = event.resumedStep;
        close();
        if (first > 0) io.note(`Going on after step ${first} of ${event.steps}.`);
        break;
      case "reference":
        show("Reference", event.total);
        progress!.update({ done: event.done });
        if (event.done === event.total) close();
        break;
      case "step": {
        const epoch = Math.ceil(event.step / stepsPerEpoch);
        const items = (step: number) =>
          Math.min(size, Math.round((step - (epoch - 1) * stepsPerEpoch) * size / stepsPerEpoch));
        show(
          `Epoch ${epoch}`,
          size,
          Math.max(0, items(Math.max(first, (epoch - 1) * stepsPerEpoch))),
        );
        progress!.update({
          done: items(event.step),
          text: `loss ${event.metrics.loss.toFixed(3)}`,
        });
        break;
      }
      case "epoch":
        close();
        io.print(epochText(event));
        break;
      case "warning":
        io.note(`Warning: ${event.message}`);
        break;
      case "end":
        close();
        if (event.reason === "finished") {
          io.print(`${method} Training completed!`);
          io.print(`Model saved to ${join(outputDir, "final_model")}`);
          return 0;
        }
        io.note(
          event.step === 0
            ? "Stopped before the first step; nothing was trained."
            : `Stopped after step ${event.step}; go on with --resume auto`,
        );
        return 130;
    }
  }
  return 0;
}

function epochText({ epoch, epochs, train, validation }: Extract<TrainEvent, { type: "epoch" }>) {
  return formatEpochBlock({
    epoch,
    numEpochs: epochs,
    trainLoss: train.loss,
    valLoss: validation?.loss,
    chosenPreference: (validation ?? train).chosenPreference,
  }) + "\n";
}

/** The checkpoint that `--resume` names: none, the furthest one, or one by path. */
export async function resumePath(
  resume: string | undefined,
  outputDir: string,
): Promise<string | undefined> {
  if (resume !== "auto") return resume;
  const found = await findCheckpoint(outputDir);
  if (found) return found;
  throw new UsageError(`Cannot resume: "${outputDir}" holds no checkpoint`, { field: "resume" });
}
