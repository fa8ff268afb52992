import {
  describeBackend,
  type EncodeAllOptions,
  type EncodedRows,
  type ReadReport,
  type Tokenizer,
} from "../../mod.ts";
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
  const surprising = unknownKeys.filter((key) => key !== "kind"); // make_triplets writes it
  if (surprising.length > 0) {
    io.note(`${path}: fields that are not used: ${surprising.join(", ")}`);
  }
}

/** Encodes rows as the flags say, and says what that cut or left out. */
export function encoderOf<Row, Encoded>(
  encode: (tokenizer: Tokenizer, rows: Row[], options: EncodeAllOptions) => EncodedRows<Encoded>,
  { max_length: maxLength, skip_invalid: skipInvalid }: {
    max_length: number;
    skip_invalid: boolean;
  },
  io: ScriptIo,
): (tokenizer: Tokenizer, rows: Row[]) => EncodedRows<Encoded> {
  return (tokenizer, rows) => {
    const encoded = encode(tokenizer, rows, { maxLength, skipInvalid });
    noteEncoded(encoded, maxLength, io);
    return encoded;
  };
}

/** Says what encoding cut or left out. */
function noteEncoded(
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
