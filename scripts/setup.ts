import { setUpNative } from "../lib/backend/setup/set_up_native.ts";
import { type BackendDescription, useBackend } from "../lib/backend/use_backend.ts";
import { UserError } from "../lib/errors.ts";
import type { Progress } from "./cli/progress.ts";
import { createScreen } from "./cli/screen.ts";

const screen = createScreen();

/** The set-up's progress as bars, one a step. */
function reporter() {
  let shown: { step: string; bar: Progress } | undefined;
  const end = () => {
    shown?.bar.end();
    shown = undefined;
  };
  return {
    end,
    line(text: string) {
      end();
      screen.note(text);
    },
    progress(
      { step, doneBytes, totalBytes }: { step: string; doneBytes: number; totalBytes: number },
    ) {
      if (shown?.step !== step) {
        end();
        const bar = screen.progress({ label: step, total: totalBytes, unit: "bytes" });
        shown = { step, bar };
      }
      shown.bar.update({ done: doneBytes });
    },
  };
}

async function main(): Promise<void> {
  const report = reporter();
  try {
    say(await setUpNative({ report }));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report.end();
    const fallback = await useBackend({ backend: "auto" });
    screen.note(`TensorFlow could not be set up: ${error.message}.`);
    say(fallback);
    screen.print("Everything runs on it, more slowly; mend the cause and run this again.");
  } finally {
    report.end();
  }
}

function say({ name, version, device }: BackendDescription): void {
  screen.print(`${version} (backend "${name}") runs on ${device}.`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
