/** An object without its undefined values, so that it can be laid over defaults. */
export function definedOnly<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
