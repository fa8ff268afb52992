import { type Claim, CLAIM_KINDS, type ClaimKind, claimsOf } from "./claims.ts";
import { isSupported } from "./is_supported.ts";
import { readText } from "./read_text.ts";
import { indexSource } from "./source_index.ts";

/** A detail that the source does not bear out, and where it stands in the text. */
export type UnsupportedDetail = { text: string; kind: ClaimKind; start: number; end: number };

/** Details of one kind. */
export type KindCount = { details: number; unsupported: number };

/** What a text states, held against its source. */
export type HallucinationResult = {
  /** Different details that the text states. */
  details: number;
  /** Those that the source does not bear out, in the text's order. */
  unsupported: UnsupportedDetail[];
  /** Unsupported details / details; 0 where the text states none. */
  rate: number;
  /** The share of the reference's details that the text states; `null` without a reference. */
  recall: number | null;
  byKind: Record<ClaimKind, KindCount>;
};

/** Options of {@link measureHallucination}. */
export type MeasureHallucinationOptions = {
  /** What a good text says: `recall` tells how much of it the text says. */
  reference?: string;
};

/** Finds the details of a text that its source does not bear out. */
export function measureHallucination(
  text: string,
  source: string,
  { reference }: MeasureHallucinationOptions = {},
): HallucinationResult {
  const read = readText(text);
  const judged = judge(claimsOf(read), source);
  const byKind = Object.fromEntries(
    CLAIM_KINDS.map((kind) => [kind, { details: 0, unsupported: 0 }]),
  ) as Record<ClaimKind, KindCount>;
  const unsupported: UnsupportedDetail[] = [];
  for (const { claim: { kind, start, end }, supported } of judged) {
    byKind[kind].details++;
    if (supported) continue;
    byKind[kind].unsupported++;
    unsupported.push({ text: text.slice(start, end), kind, start, end });
  }
  return {
    details: judged.length,
    unsupported,
    rate: judged.length === 0 ? 0 : unsupported.length / judged.length,
    recall: reference === undefined ? null : recallOf(reference, text),
    byKind,
  };
}

function judge(claims: Claim[], source: string): { claim: Claim; supported: boolean }[] {
  const index = indexSource(readText(source));
  return claims.flatMap((claim) => {
    const supported = isSupported(claim, index);
    return supported === null ? [] : [{ claim, supported }];
  });
}

/** The share of a reference's details that a text bears out. */
function recallOf(reference: string, text: string): number | null {
  const judged = judge(claimsOf(readText(reference)), text);
  return judged.length === 0
    ? null
    : judged.filter(({ supported }) => supported).length / judged.length;
}
