import { createProgress, type Progress, type ProgressOptions } from "./progress.ts";

/** What a script says to whom: results on stdout, everything else on stderr. */
export type Screen = {
  /** Prints a result. */
  print: (text: string) => void;
  /** Prints a remark. */
  note: (text: string) => void;
  /** Shows how far the work is, on stderr. */
  progress: (options: ProgressOptions) => Progress;
  /** Takes away a progress bar that was left. */
  close: () => void;
  /** Milliseconds of the clock that progress is measured by. */
  now: () => number;
};

/** What a screen is made of; the defaults are the process's own. */
export type CreateScreenOptions = {
  stdout?: (text: string) => void;
  stderr?: (text: string) => void;
  isTerminal?: boolean;
  columns?: () => number;
  now?: () => number;
};

/** Makes the screen; on a terminal it lifts the progress bar while other lines are printed. */
export function createScreen(options: CreateScreenOptions = {}): Screen {
  const {
    stdout = writeAll(Deno.stdout),
    stderr = writeAll(Deno.stderr),
    isTerminal = Deno.stderr.isTerminal(),
    columns = terminalColumns,
    now = () => performance.now(),
  } = options;
  let status = "";
  const showStatus = (line: string) => {
    if (line !== status) stderr(line === "" ? "\r\x1b[K" : `\r${line}\x1b[K`);
    status = line;
  };
  const above = (write: () => void) => {
    const kept = status;
    showStatus("");
    write();
    showStatus(kept);
  };
  const note = (text: string) => above(() => stderr(`${text}\n`));
  const memoryBytes = () => Deno.memoryUsage().rss;
  return {
    print: (text) => above(() => stdout(`${text}\n`)),
    note,
    progress: (what) =>
      createProgress(what, { isTerminal, columns, showStatus, note, now, memoryBytes }),
    close: () => showStatus(""),
    now,
  };
}

function writeAll(file: { writeSync: (bytes: Uint8Array) => number }): (text: string) => void {
  return (text) => {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
  };
}

/** The terminal's width, at most 80. */
function terminalColumns(): number {
  try {
    return Math.min(80, Deno.consoleSize().columns || 80); // 0: a terminal that does not tell.
  } catch {
    return 80; // Not a terminal.
  }
}
