import { UserError } from "../errors.ts";
import type { LearningRateAtOptions } from "../optim/schedule.ts";
import { rateWarnings, type Warning } from "./guards.ts";
import {
  type FoundCheckpoint,
  listCheckpoints,
  peekTrainState,
  runDifference,
  type TrainState,
} from "./train_state.ts";
import { checkOutput } from "./check_output.ts";
import { planRun, type RunLength } from "./plan_run.ts";
import { whyNoRow } from "./rows_origin.ts";
import type { RowsOrigin, RunOrigin } from "./train_types.ts";
import { tryToWrite } from "./try_to_write.ts";

type RateOptions = Omit<LearningRateAtOptions, "totalSteps">;

export type PrepareRunOptions = RunLength & RateOptions & {
  /** Items of the training set, and of the validation set where there is one. */
  size: number;
  validationSize?: number;
  outputDir?: string;
  resumeFrom?: string;
  origin?: RunOrigin;
  /** Models and adapters that the run reads. */
  reads: string[];
};

/**
 * Finds out before a run computes anything whether it can: there is something to train on, results
 * can be written, and there is a checkpoint to go on from if one was asked for.
 *
 * @returns the checkpoint to go on from with its state, and what the user should know.
 * @throws {UserError} when the run can't start.
 */
export async function prepareRun(
  run: TrainState["run"],
  options: PrepareRunOptions,
): Promise<{ checkpoint?: FoundCheckpoint; warnings: Warning[] }> {
  const { size, validationSize, outputDir, resumeFrom, origin } = options;
  if (size === 0) throw noRow("training", origin?.train);
  if (validationSize === 0) throw noRow("validation", origin?.validation);
  if (outputDir !== undefined) {
    await checkOutput(outputDir, options.reads);
    await tryToWrite(outputDir);
  }
  const idle = rateWarnings(planRun(size, options).steps, options);
  if (resumeFrom === undefined) {
    return { warnings: [...await leftoverWarnings(outputDir, run, options), ...idle] };
  }
  const checkpoint = resumeFrom === "auto"
    ? await furthest(outputDir, run, planRun(size, options).steps)
    : { folder: resumeFrom, state: await peekTrainState(resumeFrom, run) };
  return { checkpoint, warnings: lengthChange(checkpoint, options) };
}

/** Says that a run ends elsewhere than its checkpoint was made for, for its rates depend on that. */
function lengthChange(
  { folder, state: { step, run } }: FoundCheckpoint,
  options: PrepareRunOptions,
): Warning[] {
  const { steps } = planRun(options.size, options);
  if (step > steps) {
    const why = `it stands at step ${step}, and this run ends after ${steps}`;
    const advice = "raise --max_steps or --num_epochs, or begin anew in another --output_dir";
    throw new UserError(`Cannot resume from "${folder}": ${why}; ${advice}`, { path: folder });
  }
  const before = stepsOf(run, options);
  if (before === steps) return [];
  const message = `This run was to end after ${before} steps and now ends after ${steps}: up to ` +
    `step ${step} its learning rate took the course of ${before} steps, from there that of ` +
    `${steps}. It will differ from a run that had this length from the start.`;
  return [{ code: "run_length", message }];
}

/** Steps of a run that a checkpoint was made in, over the same rows. */
function stepsOf(run: TrainState["run"], { size, ...length }: PrepareRunOptions): number {
  const [epochs, maxSteps] = [run.num_epochs as number, run.max_steps as number | null];
  return planRun(size, { ...length, epochs, maxSteps: maxSteps ?? undefined }).steps;
}

function noRow(name: string, origin: RowsOrigin | undefined): UserError {
  return new UserError(`Cannot train: the ${name} set has no row${whyNoRow(origin)}`, {
    path: origin?.file.path,
  });
}

/** The last checkpoint of this run that is not beyond its end: a longer one's may lie there too. */
async function furthest(
  outputDir: string | undefined,
  run: TrainState["run"],
  steps: number,
): Promise<FoundCheckpoint> {
  const found = outputDir === undefined ? [] : await listCheckpoints(outputDir);
  const own = found.filter(({ state }) => runDifference(state.run, run) === null);
  const fitting = own.findLast(({ state }) => state.step <= steps) ?? own.at(-1);
  if (fitting) return fitting;
  const other = found.at(-1);
  if (other) await peekTrainState(other.folder, run); // says what differs
  throw new UserError(`Cannot resume: "${outputDir}" holds no checkpoint`, {
    path: outputDir,
    field: "resume",
  });
}

/** Says what a run that starts anew finds in its folder. */
async function leftoverWarnings(
  outputDir: string | undefined,
  run: TrainState["run"],
  options: PrepareRunOptions,
): Promise<Warning[]> {
  const last = outputDir === undefined ? undefined : (await listCheckpoints(outputDir)).at(-1);
  if (!last) return [];
  const { steps } = planRun(options.size, options);
  const length = () => {
    const before = stepsOf(last.state.run, options);
    return before === steps ? null : `it has ${before} steps, this run ${steps}`;
  };
  const difference = runDifference(last.state.run, run) ?? length();
  const message = difference === null
    ? `"${outputDir}" holds checkpoints of this very run, up to step ${last.state.step}; they are ` +
      "written anew. --resume goes on from there instead."
    : `"${outputDir}" holds checkpoints of another run (${difference}); those of the same name are ` +
      "written over, others stay. Another --output_dir keeps the runs apart.";
  return [{ code: "leftover_checkpoints", message }];
}
