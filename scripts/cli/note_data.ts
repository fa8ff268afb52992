import { describeBackend, type EncodedRows, type ReadReport } from "../../mod.ts";
import { formatCount } from "../../lib/format_count.ts";
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
  if (invalid > 0) {
    io.note(`${path}: left out ${formatCount(invalid, "bad row")}, the first: ${problems[0]}`);
  }
  if (unknownKeys.length > 0) {
    io.note(`${path}: fields that are not used: ${unknownKeys.join(", ")}`);
  }
}

/** Says what encoding cut or left out. */
export function noteEncoded(
  { rows, truncated, dropped, firstReason }: EncodedRows<unknown>,
  maxLength: number,
  io: ScriptIo,
): void {
  if (truncated > 0) {
    io.note(
      `${truncated} of ${formatCount(rows.length, "row")} cut at --max_length ${maxLength} tokens.`,
    );
  }
  if (dropped > 0) io.note(`Left out ${formatCount(dropped, "row")}, the first: ${firstReason}`);
}
