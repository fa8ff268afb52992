export { formatBytes } from "../../lib/format_bytes.ts";
export { formatDuration } from "../../lib/format_duration.ts";

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
