/** A number of things in words: "1 row", "2 rows", "2,000 rows". */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
