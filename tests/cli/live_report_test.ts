import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { TrainEvent } from "../../mod.ts";
import { liveReport } from "../../scripts/cli/live_report.ts";

await useBackend({ backend: "cpu" });

const start = { type: "start", steps: 6, stepsPerEpoch: 3, rowsPerStep: 4, epochs: 2 } as const;
const step = (step: number): TrainEvent => ({
  ...{ type: "step", step, steps: 6 },
  metrics: { step, loss: 1 / step, tokens: 10, tokens_per_second: 5, pairs_per_second: 1 },
});

/** Goes through a run whose every event takes ten seconds, and reads its page after each. */
async function watch(events: TrainEvent[], { every, fails }: { every: number; fails?: string }) {
  const outputDir = await Deno.makeTempDir(), clock = { now: 0 }, notes: string[] = [];
  async function* run() {
    for (const event of events) {
      clock.now += 10_000;
      yield event;
    }
    if (fails) throw new Error(fails);
  }
  const io = { now: () => clock.now, note: (text: string) => notes.push(text) };
  const options = { outputDir, everySeconds: every, settings: { beta: 0.1 } };
  const path = join(outputDir, "report.html"), pages: string[] = [];
  const read = () => Deno.readTextFile(path).catch(() => "");
  let error = "";
  try {
    for await (const _ of liveReport(run(), options, io)) pages.push(await read());
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  const last = await read();
  await Deno.remove(outputDir, { recursive: true });
  return { pages, last, notes, error };
}

const shownStep = (page: string) => page.match(/step (\d+) of 6/)?.[1] ?? null;

Deno.test("liveReport() rewrites the page at most every so many seconds", async () => {
  const events = [{ ...start, resumedStep: 0 }, ...[1, 2, 3, 4, 5, 6].map(step)];
  const end = { type: "end", reason: "finished", step: 6, state: {} as never } as const;
  const { pages, notes } = await watch([...events, end], { every: 20 });
  assertEquals(pages.map(shownStep), ["0", "0", "0", "2", "2", "4", "4", "6"]);
  assert(pages[3].includes('data-reload="20"'));
  assertEquals(notes.length, 1);
});

Deno.test("liveReport() leaves a finished run's last page to its caller, and reloads until then", async () => {
  const end = { type: "end", reason: "finished", step: 6, state: {} as never } as const;
  const events = [{ ...start, resumedStep: 0 }, step(5), step(6), end];
  const { last } = await watch(events, { every: 3600 });
  assertEquals(shownStep(last), "6");
  assert(last.includes('data-reload="3600"') && last.includes('class="badge">under way'));
  assertEquals((await watch(events, { every: 0 })).last, "");
});

Deno.test("liveReport() says of a run that was stopped, or failed, that it is over", async () => {
  const events = [{ ...start, resumedStep: 0 }, step(1)];
  const failed = await watch(events, { every: 20, fails: "the loss is not finite" });
  assertEquals(failed.error, "the loss is not finite");
  const aborted = { type: "end", reason: "aborted", step: 1, state: {} as never } as const;
  const { last } = await watch([...events, aborted], { every: 0 });
  for (const page of [failed.last, last]) {
    assert(page.includes('class="badge">stopped before its end') && !page.includes("data-reload"));
  }
});
