/** A share as people read it: "7.5%". */
export function percent(share: number | null): string {
  return share === null ? "an unknown share" : `${(100 * share).toFixed(1)}%`;
}

/** A loss or a change of log-probability in three digits. */
export function nats(value: number): string {
  return String(Number(value.toPrecision(3)));
}
