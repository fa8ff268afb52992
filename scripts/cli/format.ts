export { formatDuration } from "../../lib/format_duration.ts";

/** A size as people read it: "274 MB". Powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit > 0 && bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** A share between 0 and 1 as a whole percentage: "55%". */
export function formatPercent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** A rate with two or three digits that say something: "0.25", "1.8", "1,240". */
export function formatRate(perSecond: number): string {
  const digits = perSecond < 1 ? 2 : perSecond < 100 ? 1 : 0;
  return Number(perSecond.toFixed(digits)).toLocaleString("en-US");
}

/** Bytes of a size as it is typed: "500MB", "5GB", "2GiB"; nothing where it is none. */
export function parseBytes(text: string): number | undefined {
  const [, number, prefix, binary] = /^(\d+(?:\.\d+)?) ?([kKMGT]?)(i?)B?$/.exec(text.trim()) ?? [];
  if (number === undefined || Number(number) === 0) return undefined;
  const power = ["", "K", "M", "G", "T"].indexOf(prefix.toUpperCase());
  return Math.floor(Number(number) * (binary ? 1024 : 1000) ** power);
}
