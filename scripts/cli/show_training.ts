import type { TrainEvent } from "../../mod.ts";
import { formatCount } from "../../lib/format_count.ts";
import { formatEpochBlock } from "./epoch_block.ts";
import type { Progress, ProgressReading } from "./progress.ts";
import type { ScriptIo } from "./run_script.ts";

/** How a run is shown: what is counted, and the line at its end. */
export type ShowTrainingOptions = {
  /** Items in a pass: pairs, or examples. */
  size: number;
  unit: string;
  outputDir: string;
  /** The name of the method in the last line. */
  method: "DPO" | "SFT" | "Control";
};

/** An event of one type. */
type On<Type extends TrainEvent["type"]> = Extract<TrainEvent, { type: Type }>;

/**
 * Prints a run's events: progress and warnings on stderr, each epoch's block and where the model
 * went on stdout. Returns the exit code.
 */
export async function showTraining(
  events: AsyncIterable<TrainEvent>,
  io: ScriptIo,
  options: ShowTrainingOptions,
): Promise<number> {
  const bars = createBars(io, options);
  let start: On<"start"> | undefined, sinceMs = io.now();
  for await (const event of events) {
    switch (event.type) {
      case "start":
        start = event;
        if (event.resumedStep > 0) {
          io.note(`Going on after step ${event.resumedStep} of ${event.steps}.`);
        }
        break;
      case "reference":
        bars.show("Reference", { total: event.total, done: event.done, sinceMs });
        if (event.done === event.total) bars.close();
        break;
      case "step":
        bars.show(...stepReading(event, start!, { ...options, sinceMs }));
        break;
      case "epoch":
        bars.close();
        io.print(epochText(event));
        noteHeldOut(event, io);
        break;
      case "warning":
        io.note(`Warning: ${event.message}`);
        break;
      case "end":
        bars.close();
        return end(event, io, options);
    }
    sinceMs = io.now();
  }
  return 0;
}

/**
 * What a bar is told: how far it is, what this event adds to the tokens of this bar, and since when
 * that was under way. A bar is made by its first event, whose work has passed by then.
 */
type BarReading = ProgressReading & { total: number; start?: number; sinceMs: number };

/** One progress bar at a time, by its label. */
function createBars(io: ScriptIo, { unit }: ShowTrainingOptions) {
  let bar: Progress | null = null, shown = "", tokens = 0;
  const close = () => {
    bar?.end();
    bar = null;
    shown = "";
  };
  return {
    close,
    show(label: string, { total, start, sinceMs, ...reading }: BarReading) {
      if (shown !== label) {
        close();
        bar = io.progress({ label, total, unit, start, startedMs: sinceMs });
        shown = label;
        tokens = 0;
      }
      tokens += reading.tokens ?? 0;
      bar!.update({ ...reading, tokens });
    },
  };
}

function stepReading(
  { step, metrics }: On<"step">,
  { steps, stepsPerEpoch, rowsPerStep, resumedStep, epochs }: On<"start">,
  { size, sinceMs }: ShowTrainingOptions & { sinceMs: number },
): [label: string, reading: BarReading] {
  const epoch = Math.ceil(step / stepsPerEpoch), before = (epoch - 1) * stepsPerEpoch;
  const items = (at: number) => Math.min(size, (at - before) * rowsPerStep);
  const text = `loss ${metrics.loss.toFixed(3)}`, { tokens } = metrics;
  const start = items(Math.max(resumedStep, before));
  const total = items(Math.min(steps, before + stepsPerEpoch));
  return [`Epoch ${epoch}/${epochs}`, {
    ...{ total, start, done: items(step) },
    ...{ tokens, text, sinceMs },
  }];
}

function epochText({ epoch, epochs, train, validation }: On<"epoch">): string {
  return formatEpochBlock({
    epoch,
    numEpochs: epochs,
    trainLoss: train.loss,
    valLoss: validation?.loss,
    chosenPreference: (validation ?? train).chosenPreference,
  }) + "\n";
}

/** What the block's whole percent and two decimals don't tell: how far, and how many ties. */
function noteHeldOut({ validation }: On<"epoch">, io: ScriptIo): void {
  if (!validation || validation["rewards/margins"] === undefined) return;
  const ties = Math.round(validation["rewards/ties"] * validation.pairs);
  const tied = ties === 0 ? "" : `; ${formatCount(ties, "tie")}, each counted as half`;
  io.note(
    `Held out: loss ${validation.loss.toFixed(4)}, reward margin ` +
      `${validation["rewards/margins"].toFixed(4)}, ${
        formatCount(validation.pairs, "pair")
      }${tied}\n`,
  );
}

function end(
  { reason, step }: On<"end">,
  io: ScriptIo,
  { method, outputDir }: ShowTrainingOptions,
): number {
  if (reason === "finished") {
    io.print(`${method} Training completed!`);
    io.print(`Model saved to ${outputDir.replace(/[/\\]+$/, "")}/final_model`);
    return 0;
  }
  io.note(
    step === 0
      ? "Stopped before the first step; nothing was trained."
      : `Stopped after step ${step}; go on with --resume`,
  );
  return 130;
}
