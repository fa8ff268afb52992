import { formatBytes, formatDuration, formatPercent, formatRate } from "./format.ts";

/** Options of a progress display. */
export type ProgressOptions = {
  /** What is under way: "Epoch 1/2". */
  label: string;
  /** How much there is to do. */
  total: number;
  /** What is counted: "pairs", "notes"; "bytes" are shown as MB. */
  unit: string;
  /** How much was done before this run began: a resumed epoch, a download's first part. */
  start?: number;
  /** When it began, by the screen's clock; when the display is made, unless given. */
  startedMs?: number;
};

/** How far the work is. */
export type ProgressReading = {
  /** How much of the total is done. */
  done: number;
  /** Tokens that this run has processed so far. */
  tokens?: number;
  /** A few words more: "loss 0.68". */
  text?: string;
};

/** A running display: `update` as often as you like, `end` once, also after an error. */
export type Progress = { update: (reading: ProgressReading) => void; end: () => void };

/** Where progress is shown; see `screen.ts`. */
export type ProgressScreen = {
  isTerminal: boolean;
  columns: () => number;
  /** Shows a line that the next one replaces. */
  showStatus: (line: string) => void;
  /** Prints a line that stays. */
  note: (line: string) => void;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  memoryBytes: () => number;
};

/** All that a line tells. */
export type ProgressState = ProgressOptions & ProgressReading & {
  elapsedMs: number;
  memoryBytes: number;
};

const shortestBar = 5, longestBar = 24;
const redrawMs = 100, plainLineMs = 15_000;

/** Shows progress as a bar that moves on a terminal, and as a line now and then elsewhere. */
export function createProgress(options: ProgressOptions, screen: ProgressScreen): Progress {
  const started = options.startedMs ?? screen.now();
  let reading: ProgressReading = { done: options.start ?? 0 };
  let shown = screen.now(), told: ProgressReading | undefined;
  const state = (): ProgressState => ({
    ...options,
    ...reading,
    elapsedMs: screen.now() - started,
    memoryBytes: screen.memoryBytes(),
  });
  const notePlain = () => {
    if (told !== reading) screen.note(formatPlainLine(state()));
    told = reading;
  };
  const barLine = () => formatBarLine(state(), screen.columns());
  return {
    update(next) {
      reading = next;
      if (screen.now() - shown < (screen.isTerminal ? redrawMs : plainLineMs)) return;
      shown = screen.now();
      if (screen.isTerminal) screen.showStatus(barLine());
      else notePlain();
    },
    end() {
      if (!screen.isTerminal) return notePlain();
      screen.showStatus("");
      screen.note(barLine());
    },
  };
}

/** The state as a line for a log. */
export function formatPlainLine(state: ProgressState): string {
  const { amount, percent, ...rest } = describe(state);
  return [`${state.label}: ${amount} ${state.unit === "bytes" ? "" : `${state.unit} `}(${percent})`]
    .concat(Object.values(rest).filter((part) => part !== "")).join(", ");
}

/** The state as a line of fewer than `columns` characters, with a bar; what matters least goes first. */
export function formatBarLine(state: ProgressState, columns: number): string {
  const { amount, percent, ...rest } = describe(state);
  const tail = () => [`${percent} ${amount}`, ...Object.values(rest)].filter(Boolean).join(", ");
  const room = () => columns - 1 - state.label.length - tail().length - 2;
  for (const part of ["memory", "tokens", "text", "rate", "left"] as const) {
    if (room() >= shortestBar) break;
    rest[part] = "";
  }
  const width = Math.min(longestBar, room());
  const filled = Math.round(width * shareDone(state));
  const bar = width < shortestBar ? "" : "█".repeat(filled) + "░".repeat(width - filled) + " ";
  return `${state.label} ${bar}${tail()}`.slice(0, columns - 1);
}

const shareDone = ({ done, total }: ProgressState) => total > 0 ? Math.min(1, done / total) : 1;

/** The parts of a line, "" where there is nothing to tell yet. */
function describe(state: ProgressState) {
  const { unit, done, total, start = 0, tokens, memoryBytes, text = "" } = state;
  const isBytes = unit === "bytes";
  const seconds = state.elapsedMs / 1000;
  const rate = seconds > 0 ? (done - start) / seconds : 0;
  const left = done < total
    ? `${formatDuration((total - done) / rate)} left`
    : formatDuration(seconds);
  return {
    amount: isBytes ? `${formatBytes(done)} of ${formatBytes(total)}` : `${done}/${total}`,
    percent: formatPercent(shareDone(state)),
    rate: rate > 0 ? isBytes ? `${formatBytes(rate)}/s` : `${formatRate(rate)} ${unit}/s` : "",
    tokens: tokens && seconds > 0 ? `${formatRate(tokens / seconds)} tokens/s` : "",
    memory: isBytes ? "" : `${formatBytes(memoryBytes)} RAM`,
    left: rate > 0 ? left : "",
    text,
  };
}
