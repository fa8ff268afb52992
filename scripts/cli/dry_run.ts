import {
  describeModel,
  type EncodedRow,
  type EncodedRows,
  estimate,
  type Tokenizer,
  useBackend,
  UserError,
} from "../../mod.ts";
import { memoryReader } from "../../lib/train/guards.ts";
import { checkOutput } from "../../lib/train/check_output.ts";
import { whyNoRow } from "../../lib/train/rows_origin.ts";
import { estimateReport } from "./estimate_report.ts";
import { noteBackend } from "./note_data.ts";
import type { ScriptIo } from "./run_script.ts";
import { loopOptions, modelOptions, type TrainValues } from "./train_flags.ts";

/** A run that is not made: its model, how its rows are encoded, and what they are called. */
export type DryRun = {
  modelPath: string;
  encode: (tokenizer: Tokenizer) => {
    train: EncodedRows<EncodedRow>;
    validation?: EncodedRows<EncodedRow>;
  };
  noun: string;
  allWeights?: boolean;
  /** Forward passes that its loss takes beside any loss' own. */
  extraForwards?: { step: number; judging: number };
};

/**
 * Says what a run will take, without the model's weights.
 *
 * @throws {UserError} where the run could not start either.
 */
export async function dryRun(
  flags: TrainValues,
  { modelPath, encode, noun, allWeights, extraForwards }: DryRun,
  io: ScriptIo,
): Promise<void> {
  await useBackend({ backend: flags.backend });
  noteBackend(io);
  const { config, tokenizer } = await describeModel(modelPath);
  const { train, validation } = encode(tokenizer);
  for (const [name, set] of Object.entries({ training: train, validation })) {
    if (set?.rows.length !== 0) continue;
    throw new UserError(`Cannot train: the ${name} set has no row${whyNoRow(set)}`);
  }
  await checkOutput(flags.output_dir, [modelPath]);
  const result = await estimate(config, train.rows, {
    ...modelOptions(flags),
    ...loopOptions(flags),
    allWeights,
    extraForwards,
    checkpointing: flags.gradient_checkpointing,
    validation: validation?.rows,
  });
  const memoryBytes = memoryReader()?.().total;
  io.print(estimateReport(result, { noun, batchSize: flags.batch_size, memoryBytes }));
}
