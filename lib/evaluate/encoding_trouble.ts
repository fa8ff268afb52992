/** Where the bytes of a character's UTF-8 lie when they are read as Latin-1 or Windows-1252. */
const REST = "\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
/** After a capital these are quotation marks of an ordinary text ("«MAÇÃ»"). */
const QUOTES = "»’”“‘›";
const PATTERNS: [name: string, pattern: RegExp][] = [
  ["U+FFFD", /\ufffd/],
  [
    "mojibake",
    new RegExp(
      `(?<!\\p{Lu})[ÂÃ][${REST}]|[ÂÃ](?![${QUOTES}])[${REST}]|â[\\u0080€][${REST}]|` +
        `ï(?:»¿|¿½)|ð[\\u009fŸ][${REST}]`,
      "u",
    ),
  ],
  // deno-lint-ignore no-control-regex -- it is what is looked for
  ["control character", /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/],
  ["invisible character", /[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/],
];
const PLAIN = /^[\t\n\r\x20-\x7e]*$/;

/**
 * Names what a text holds that wrong decoding leaves behind: U+FFFD, mojibake ("Ã©" for "é"), control
 * and invisible characters; `null` where there is nothing of the kind.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { encodingTrouble } from "./encoding_trouble.ts";
 * assert.equal(encodingTrouble("Café, 37 °C"), null);
 * assert.equal(encodingTrouble("CafÃ©"), "mojibake");
 * ```
 */
export function encodingTrouble(text: string): string | null {
  if (PLAIN.test(text)) return null;
  return PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** How a text writes letters with marks: as one character, as letter and mark, both ways, or none. */
export function normalForm(text: string): "composed" | "decomposed" | "both" | null {
  if (PLAIN.test(text)) return null;
  const isComposed = text.normalize("NFD") !== text, isDecomposed = text.normalize("NFC") !== text;
  if (isComposed && isDecomposed) return "both";
  return isComposed ? "composed" : isDecomposed ? "decomposed" : null;
}
