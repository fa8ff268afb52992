import { describeBackend, type EncodedRows, type ReadReport } from "../../mod.ts";
import type { ScriptIo } from "./run_script.ts";

/** Says what computes, and what would be faster. */
export function noteBackend(io: ScriptIo): void {
  const { version, device, faster } = describeBackend();
  io.note(`Computing with ${version} (${device})${faster ? `; faster: ${faster}` : ""}`);
}

/** Says what reading a file left out or passed over. */
export function noteReport(
  { path, invalid, unknownKeys, problems }: ReadReport,
  io: ScriptIo,
): void {
  if (invalid > 0) io.note(`${path}: left out ${invalid} bad rows, the first: ${problems[0]}`);
  if (unknownKeys.length > 0) {
    io.note(`${path}: these keys are kept out of training: ${unknownKeys.join(", ")}`);
  }
}

/** Says what encoding cut or left out. */
export function noteEncoded(
  { rows, truncated, dropped, firstReason }: EncodedRows<unknown>,
  maxLength: number,
  io: ScriptIo,
): void {
  if (truncated > 0) {
    io.note(`${truncated} of ${rows.length} rows are longer than --max_length ${maxLength}: cut.`);
  }
  if (dropped > 0) io.note(`Left out ${dropped} rows, the first: ${firstReason}`);
}
