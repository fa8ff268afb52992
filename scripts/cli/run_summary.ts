import { peakMemoryBytes } from "../../lib/train/guards.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { commandOf, wrapCommand } from "./help_text.ts";
import { quote } from "./quote.ts";

/** What a person may want next, the script that does it, and its arguments. */
export type NextCommand = { what: string; script: string; args: string[] };

/** The last lines of a run: what it took since `startedMs`, and what to type next. */
export function runSummary(startedMs: number, next: readonly NextCommand[]): string {
  const took = formatDuration((performance.now() - startedMs) / 1000);
  return [
    `\nIn ${took}, with at most ${formatBytes(peakMemoryBytes())} of memory. Next:`,
    ...next.flatMap(({ what, script, args }) => [
      "",
      `${what}:`,
      wrapCommand(`${commandOf(script)} ${args.map(quote).join(" ")}`),
    ]),
  ].join("\n");
}
