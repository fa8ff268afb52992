import { explainError } from "./explain_error.ts";
import { type Flags, type FlagValues, readFlags } from "./flags.ts";
import { helpText, type ScriptText } from "./help_text.ts";
import { createScreen, type Screen } from "./screen.ts";

/** What `main` gets beside its flags. */
export type ScriptIo = Screen & {
  /** Aborted by Ctrl-C and by SIGTERM: end cleanly, and soon. */
  signal: AbortSignal;
};

/** A script: what it says of itself, its flags, and what it does. */
export type Script<F extends Flags> = ScriptText & {
  flags: F;
  /** Returns an exit code if it isn't 0; throws a `UserError` for what the user can mend. */
  main: (flags: FlagValues<F>, io: ScriptIo) => Promise<number | void> | number | void;
};

/**
 * Runs a script on the process's arguments and ends the process: 0 done, 1 failed, 2 typed wrongly,
 * 130 stopped by Ctrl-C (143 by SIGTERM, 141 by a reader that left).
 *
 * The script's name is its file's (`scripts/<name>.ts`) and its permission set's (`-P=<name>`); an
 * example in `examples` holds only what follows them.
 */
export async function runScript<const F extends Flags>(script: Script<F>): Promise<never> {
  const args = Deno.args;
  const screen = createScreen();
  const stop = listenForStop(screen);
  try {
    if (args.includes("--help")) {
      screen.print(helpText(script));
      Deno.exit(0);
    }
    const flags = readFlags(args, script.flags);
    const exitCode = await script.main(flags, { ...screen, signal: stop.signal });
    screen.close();
    Deno.exit(stop.exitCode() ?? exitCode ?? 0);
  } catch (error) {
    screen.close();
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(141);
    if (stop.exitCode() && error instanceof Error && error.name === "AbortError") {
      Deno.exit(stop.exitCode());
    }
    const pathFlags = Object.entries(script.flags as Flags)
      .filter(([, { value = "" }]) => /FILE|FOLDER|PATH/.test(value)).map(([name]) => `--${name}`);
    const { message, exitCode } = explainError(error, { name: script.name, args, pathFlags });
    screen.note(message);
    if (args.includes("--debug")) screen.note(Deno.inspect(error));
    Deno.exit(exitCode);
  }
}

/** Turns the first Ctrl-C or SIGTERM into an aborted signal, the second into the end. */
function listenForStop(
  screen: Screen,
): { signal: AbortSignal; exitCode: () => number | undefined } {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const on = (code: number) => () => {
    if (exitCode !== undefined) Deno.exit(code);
    exitCode = code;
    screen.note("Stopping as soon as all is stored; a second Ctrl-C stops at once.");
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", on(130));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", on(143));
  return { signal: controller.signal, exitCode: () => exitCode };
}
