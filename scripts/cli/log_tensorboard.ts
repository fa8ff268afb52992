import { join } from "node:path";
import { openEventWriter } from "../../lib/backend/event_writer.ts";
import { tryToWrite } from "../../lib/train/try_to_write.ts";
import type { Metrics, TrainEvent } from "../../mod.ts";

/** What is no curve: it is the axis. */
const AXES = new Set(["step", "epoch"]);

/**
 * Makes what passes a run's events on and writes their numbers for TensorBoard meanwhile, into
 * `logs/` of the run's folder, under the names of Hugging Face's trainers: `train/loss`, `eval/loss`.
 *
 * @throws {UserError} where TensorFlow doesn't compute, or the folder can't be written.
 */
export async function tensorboardLogger(
  outputDir: string,
): Promise<(events: AsyncIterable<TrainEvent>) => AsyncGenerator<TrainEvent>> {
  const folder = join(outputDir, "logs");
  await tryToWrite(folder); // TensorFlow asks no permission
  const writer = openEventWriter(folder);
  const write = (prefix: string, metrics: Metrics, step: number) => {
    for (const [name, value] of Object.entries(metrics)) {
      if (!AXES.has(name)) writer.scalar(`${prefix}/${name}`, value, step);
    }
  };
  return async function* (events) {
    let step = 0;
    try {
      for await (const event of events) {
        if (event.type === "step") write("train", event.metrics, step = event.step);
        if (event.type === "epoch") {
          if (event.validation) write("eval", event.validation, step);
          writer.flush();
        }
        yield event;
      }
    } finally {
      writer.close();
    }
  };
}
