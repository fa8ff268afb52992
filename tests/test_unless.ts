/**
 * A test that needs what not every machine has. Where `missing` says what lacks, the runner counts
 * it as ignored, under a name that tells why; it never passes without having run.
 */
export function testUnless(
  missing: string | null | false,
  name: string,
  fn: () => void | Promise<void>,
): void {
  Deno.test({ name: missing ? `${name}: skipped, ${missing}` : name, ignore: !!missing, fn });
}
