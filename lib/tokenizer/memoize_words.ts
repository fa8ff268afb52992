import {
  ByteLevelPreTokenizer,
  type PreTokenizer,
  SequencePreTokenizer,
  SplitPreTokenizer,
  type Tokenizer as Library,
} from "@huggingface/tokenizers";

/** Words longer than this seldom come back. */
const LONGEST_WORD = 64;
/** How many characters and tokens are kept together: some 20 MB. When they are full, all go. */
const CAPACITY = 500_000;

/**
 * Lets a tokenizer of `@huggingface/tokenizers` keep what it made of each word, changing it in place;
 * its tokens stay the same for every text.
 *
 * A model (BPE, WordPiece, Unigram) looks at each word of the list it is given alone and lays the
 * results end to end; what joins unknown tokens of neighbouring words (`fuse_unk`) runs after it. So
 * `encode(words)` is the concatenation of `encode([word])`. Byte-level spelling is likewise a
 * function of the word, so it moves from the pre-tokenizer's end to behind the memo. Where there is no
 * pre-tokenizer, the whole text is the word, and mostly too long to be kept.
 */
export function memoizeWords(library: Library): void {
  const { model, pre_tokenizer } = library;
  if (!model) return;
  const stages = stagesOf(pre_tokenizer);
  stages.forEach(splitInOnePass);
  const last = stages.at(-1);
  const spell = last instanceof ByteLevelPreTokenizer && !last.use_regex ? last : null;
  if (spell) {
    const before = new SequencePreTokenizer({ type: "Sequence", pretokenizers: [] });
    before.tokenizers = stages.slice(0, -1);
    library.pre_tokenizer = before;
  }
  const encode = model.encode.bind(model);
  const encodeWord = (word: string) => encode(spell ? spell.pre_tokenize([word]) : [word]);
  let memo = new Map<string, string[]>(), size = 0;

  model.encode = (words) => {
    const all: string[] = [];
    for (const word of words) {
      let tokens = memo.get(word);
      if (tokens === undefined) {
        tokens = encodeWord(word);
        if (word.length <= LONGEST_WORD) {
          size += word.length + tokens.length;
          if (size > CAPACITY) [memo, size] = [new Map(), word.length + tokens.length];
          memo.set(copy(word), tokens);
        }
      }
      for (const token of tokens) all.push(token);
    }
    return all;
  };
}

/** A sequence's parts, inner sequences taken apart; each maps every text of a list on its own. */
function stagesOf(stage: PreTokenizer | null): PreTokenizer[] {
  if (stage instanceof SequencePreTokenizer) return stage.tokenizers.flatMap(stagesOf);
  return stage ? [stage] : [];
}

/**
 * Splits where the matches leave no gap, which their lengths tell, without a match object for each.
 */
function splitInOnePass(stage: PreTokenizer): void {
  if (!(stage instanceof SplitPreTokenizer)) return;
  const { pattern, config } = stage;
  if (!pattern || config.invert || config.behavior !== "Isolated") return;
  const split = stage.pre_tokenize_text.bind(stage);
  stage.pre_tokenize_text = (text) => {
    const matches = text.match(pattern) ?? [];
    let end = 0;
    for (const { length } of matches) end = length === 0 ? NaN : end + length;
    return end === text.length ? matches : split(text);
  };
}

/** A cut-out of a text keeps the whole text alive; this doesn't. */
const copy = (word: string) => word.split("").join("");
