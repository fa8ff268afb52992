import { placeOf } from "../row_place.ts";
import { commonPrefixLength, encodePair } from "../tokenizer/encode_pair.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Triplet } from "../types.ts";
import {
  badEncoding,
  cutAnswers,
  duplicates,
  farApart,
  lengthBias,
  type LintedRow,
  type LintInput,
  longPrompts,
  onlySpaces,
  promptOverlap,
  supportedRejected,
  turnedRound,
} from "./lint_checks.ts";
import { textOf } from "./write_texts.ts";

/** What {@link lintTriplets} looks for. */
export type LintCheckName =
  | "duplicates"
  | "turned round"
  | "overlap"
  | "length bias"
  | "far apart"
  | "only spaces"
  | "long prompts"
  | "cut answers"
  | "encoding"
  | "supported rejected";

/** What a check found. */
export type LintCheck = {
  name: LintCheckName;
  /** A guess that people should look at, no fault by itself. */
  isHint: boolean;
  /** The rows found, in their order (length bias: the worst first); `null` if it could not be looked for. */
  rows: LintedRow[] | null;
  /** What was measured over all rows. */
  figure: string | null;
  /** What to do about the rows found, or what is missing to look for some. */
  next: string;
};

/** Options of {@link lintTriplets}. */
export type LintTripletsOptions = {
  /** Triplets kept for validation: they are looked at too, and no prompt should be on both sides. */
  validation?: readonly Triplet[];
  /** The model's own; without it nothing is said of lengths in tokens. */
  tokenizer?: Tokenizer;
  /** Most tokens of a prompt and one answer, 1024 by default, as in training. */
  maxLength?: number;
  /**
   * Least likeness of a pair's answers, 0.5 by default: 1 - edits / characters of the longer. A pair
   * that changes one clinical detail is never too far apart.
   */
  minSimilarity?: number;
};

/**
 * Looks for what makes preference pairs teach something else than they should: pairs twice or turned
 * round, prompts on both sides, one side longer, answers that have little in common or differ in spaces
 * alone, rows over `maxLength`, traces of wrong decoding, and, as a hint, rejected answers that the
 * prompt bears out while it doesn't the chosen ones.
 *
 * **Units**: characters in UTF-16 units; tokens as `encodePair` counts them, EOS included.
 * **Time**: linear in the number of pairs; a pair's likeness takes its differing characters squared,
 * 4,000 of them at most, the rest is taken to differ as much.
 *
 * @param triplets What would be trained on; nothing is changed or left out.
 * @returns Each check, those without a finding too.
 * @throws {UserError} When `tokenizer` can't encode a row (messages without a chat template).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { lintTriplets } from "./lint_triplets.ts";
 * const pair = { prompt: "Left knee pain.", chosen: " Left knee pain.", rejected: " Right knee pain." };
 * const checks = lintTriplets([pair, pair, { ...pair, rejected: " Left  knee pain." }]);
 * const found = checks.filter(({ rows }) => rows !== null && rows.length > 0);
 * assert.deepEqual(found.map(({ name }) => name), ["duplicates", "only spaces"]);
 * assert.equal(found[0].rows?.[0].note, "same as train row 1");
 * ```
 */
export function lintTriplets(
  triplets: readonly Triplet[],
  { validation, tokenizer, maxLength = 1024, minSimilarity = 0.5 }: LintTripletsOptions = {},
): LintCheck[] {
  const input = (set: LintInput["set"]) => (triplet: Triplet, index: number) =>
    inputOf(triplet, { set, index, tokenizer });
  const rows = [
    ...triplets.map(input("train")),
    ...(validation ?? []).map(input("validation")),
  ];
  const check = (name: LintCheckName, rows: LintedRow[] | null, next: string): LintCheck => (
    { name, isHint: false, rows, figure: null, next }
  );
  const bias = lengthBias(rows);
  const noTokens = "not looked for: needs --model_path";
  return [
    check("duplicates", duplicates(rows), "keep one of each: the others only weigh it more"),
    check("turned round", turnedRound(rows), "decide which answer is better; the two cancel"),
    check(
      "overlap",
      validation ? promptOverlap(rows) : null,
      validation
        ? "take these prompts out of one file: validation must be unseen"
        : "not looked for: needs --val_file",
    ),
    {
      ...check(
        "length bias",
        bias.rows,
        "balance the lengths, or divide by them: --loss_type sigmoid_norm",
      ),
      figure: bias.figure,
    },
    check(
      "far apart",
      farApart(rows, minSimilarity),
      "a model tells these by style; edit a detail",
    ),
    check("only spaces", onlySpaces(rows), "leave these out: they teach spaces"),
    check(
      "long prompts",
      tokenizer ? longPrompts(rows, maxLength) : null,
      tokenizer ? "shorten them or raise --max_length: training refuses these" : noTokens,
    ),
    check(
      "cut answers",
      tokenizer ? cutAnswers(rows, maxLength) : null,
      tokenizer
        ? "raise --max_length: ends are not trained on, and pairs that lose their difference are refused"
        : noTokens,
    ),
    check("encoding", badEncoding(rows), "decode the source as it was written, mostly UTF-8"),
    {
      ...check(
        "supported rejected",
        supportedRejected(rows),
        "a hint: read these; the meter finds rejected in the prompt, and chosen not",
      ),
      isHint: true,
    },
  ];
}

function inputOf(
  triplet: Triplet,
  { set, index, tokenizer }: { set: LintInput["set"]; index: number; tokenizer?: Tokenizer },
): LintInput {
  const { prompt, chosen, rejected } = triplet;
  const encoded = tokenizer && encodePair(tokenizer, triplet, { index });
  return {
    set,
    index,
    place: placeOf(triplet) ?? null,
    prompt: textOf(prompt),
    chosen: textOf(chosen),
    rejected: textOf(rejected),
    keys: { prompt: keyOf(prompt), chosen: keyOf(chosen), rejected: keyOf(rejected) },
    tokens: encoded && {
      prompt: encoded.prompt.length,
      chosen: encoded.chosen.length,
      rejected: encoded.rejected.length,
      shared: commonPrefixLength(encoded.chosen, encoded.rejected),
    },
  };
}

const keyOf = (text: Triplet["prompt"]) => typeof text === "string" ? text : JSON.stringify(text);
