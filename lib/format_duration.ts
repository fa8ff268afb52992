/** A span of time, short: "4.2s", "45s", "3m20s", "2h05m". */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const twoDigits = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${twoDigits(whole % 60)}s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)}h${twoDigits(minutes % 60)}m`;
}
