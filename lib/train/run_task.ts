import { join } from "node:path";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { writeStats } from "./run_record.ts";
import { trainLoop } from "./train_loop.ts";
import type { TrainEvent, TrainLoopOptions, TrainTask } from "./train_types.ts";

/** Runs a task's loop and, at its end, writes `final_model/` and the run's numbers. */
export async function* runTask(
  task: TrainTask,
  loop: TrainLoopOptions,
  { stats, settings }: { stats: string; settings: object },
): AsyncGenerator<TrainEvent> {
  const { outputDir } = loop;
  for await (const event of trainLoop(task, loop)) {
    if (event.type === "end" && outputDir !== undefined) {
      if (event.reason === "finished") {
        await writeFolderAtomic(join(outputDir, "final_model"), (folder) => task.save(folder));
      }
      await writeStats(outputDir, { name: stats, settings, state: event.state });
    }
    yield event;
  }
}
