/**
 * The embedded model's tokenizer: byte-level BPE trained on the synthetic notes, written as
 * `tokenizer.json`. Any text can be encoded (every byte is a token), a digit is one token, a word
 * of the notes is one token.
 */

/** How SmolLM2 and GPT-2 cut text before BPE: each digit alone, words with the space before them. */
const DIGIT = /\p{N}/u;
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const SPECIAL_TOKENS = ["<pad>", "<s>", "</s>"];

/** GPT-2's printable stand-in for each byte. */
function byteSymbols(): string[] {
  let unprintable = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    return String.fromCharCode(printable ? byte : unprintable++);
  });
}

/** Counts words, written in byte symbols. */
function countWords(texts: Iterable<string>): Map<string, number> {
  const symbols = byteSymbols();
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const piece of text.split(new RegExp(`(${DIGIT.source})`, "u"))) {
      for (const word of piece.match(WORD) ?? []) {
        const key = Array.from(new TextEncoder().encode(word), (byte) => symbols[byte]).join("");
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** The pair of neighbours that occurs most often; of equals the first in code-unit order. */
function commonestPair(words: { parts: string[]; count: number }[]): [string, string] | null {
  const counts = new Map<string, number>();
  for (const { parts, count } of words) {
    for (let i = 1; i < parts.length; i++) {
      const key = `${parts[i - 1]} ${parts[i]}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  const best = [...counts].reduce<[string, number]>(
    (a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a),
    ["", 0],
  );
  return best[1] > 0 ? best[0].split(" ") as [string, string] : null;
}

function mergePair(parts: string[], [left, right]: [string, string]): string[] {
  const merged: string[] = [];
  for (const part of parts) {
    if (part === right && merged.at(-1) === left) merged[merged.length - 1] = left + right;
    else merged.push(part);
  }
  return merged;
}

/** Merges the commonest pairs until every word of the texts is one token. */
function learnMerges(texts: Iterable<string>): [string, string][] {
  const merges: [string, string][] = [];
  let words = [...countWords(texts)].map(([word, count]) => ({ parts: [...word], count }));
  for (let pair = commonestPair(words); pair; pair = commonestPair(words)) {
    merges.push(pair);
    const found = pair;
    words = words.map(({ parts, count }) => ({ parts: mergePair(parts, found), count }));
  }
  return merges;
}

/** Trains the tokenizer on `texts` and gives the content of `tokenizer.json`. */
export function trainNoteTokenizer(texts: Iterable<string>): Record<string, unknown> {
  const merges = learnMerges(texts);
  const tokens = [...SPECIAL_TOKENS, ...byteSymbols(), ...merges.map((pair) => pair.join(""))];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: "\\p{N}" }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [
        { SpecialToken: { id: "<s>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { Sequence: { id: "B", type_id: 0 } },
      ],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
