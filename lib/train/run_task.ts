import { join } from "node:path";
import { writeFolderAtomic } from "../io/write_atomic.ts";
import { writeStats } from "./run_record.ts";
import { trainLoop } from "./train_loop.ts";
import type { TrainEvent, TrainLoopOptions, TrainTask } from "./train_types.ts";

/** Runs a task's loop; writes the run's numbers at each checkpoint, at its end `final_model/` too. */
export async function* runTask(
  task: TrainTask,
  loop: TrainLoopOptions,
  { stats, settings }: { stats: string; settings: object },
): AsyncGenerator<TrainEvent> {
  const { outputDir } = loop;
  for await (const event of trainLoop(task, loop)) {
    if (outputDir !== undefined && (event.type === "checkpoint" || event.type === "end")) {
      if (event.type === "end" && event.reason === "finished") {
        await writeFolderAtomic(join(outputDir, "final_model"), (folder) => task.save(folder));
      }
      await writeStats(outputDir, { name: stats, settings, state: event.state });
    }
    yield event;
  }
}
