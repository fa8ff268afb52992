/**
 * The shapes that travel between rooms: file -> {@link Triplet} -> {@link EncodedPair} ->
 * {@link TokenBatch} -> log-probabilities. Types only, no code.
 */

/** One turn of a conversation, as chat templates see it. */
export type Message = { role: string; content: string };

/** A preference: for `prompt` x, `chosen` y_w is better than `rejected` y_l. */
export type Triplet = {
  prompt: string | Message[];
  chosen: string | Message[];
  rejected: string | Message[];
};

/** A prompt with the answer to imitate (Stage A, SFT). */
export type Example = { prompt: string | Message[]; completion: string | Message[] };

/** A triplet as token ids: BOS in the prompt where the tokenizer adds it, EOS at each response's end. */
export type EncodedPair = {
  /**
   * Place among the triplets that were encoded, counted from 0. It is a file's line only where that
   * has no blank line, no bad row was left out, and none was kept for validation.
   */
  index: number;
  prompt: number[];
  chosen: number[];
  rejected: number[];
  /** Response tokens that `maxLength` cut off, both responses together; absent where none were. */
  truncated?: number;
};

/** An {@link Example} as token ids. */
export type EncodedExample = {
  /** Place among the examples that were encoded, counted from 0, as {@link EncodedPair}'s. */
  index: number;
  prompt: number[];
  completion: number[];
  /** Completion tokens that `maxLength` cut off; absent where none were. */
  truncated?: number;
};

/**
 * Some sequences laid end to end for one forward pass. Each sequence is a small trie: a trunk
 * (segment 0) and up to two tails (segments 1 and 2) that branch from the trunk's end. A token sees
 * the trunk before it and its own tail before it. `N` counts all tokens, `n` predicted ones.
 */
export type TokenBatch = {
  /** Token ids, `[N]`. */
  ids: Int32Array;
  /** Position in its own sequence (trunk, then tail), `[N]`. */
  positions: Int32Array;
  /** 0 trunk, 1 first tail, 2 second tail, `[N]`. */
  segments: Uint8Array;
  /** Runs of sequences of similar lengths, from token `offset` on, whose attention is computed together. */
  groups: SequenceGroup[];
  /** Which token's hidden state predicts, `[n]`. */
  rows: Int32Array;
  /** The token to predict, `[n]`. */
  targets: Int32Array;
  /** Which item of the batch a predicted token belongs to, `[n]`. */
  items: Int32Array;
  /** Which response it belongs to: 0 both, 1 chosen (or the only one), 2 rejected, `[n]`. */
  sides: Uint8Array;
  /** Items in the batch. */
  size: number;
};

/** Sequences of `lengths` tokens that stand one after another from token `offset` of a batch on. */
export type SequenceGroup = { offset: number; lengths: number[] };

/** A tensor's numbers in main memory, row-major. */
export type HostTensor = { shape: number[]; data: Float32Array };

/** A part of a tensor's first axis: from row `first` on, up to and without row `end`. */
export type Rows = { first: number; end: number };

/** Named tensors that are read one at a time, so that a large file never has to fit in memory twice. */
export interface TensorSource {
  /** Names in file order. */
  names(): string[];
  /** Whether there is a tensor of that name. */
  has(name: string): boolean;
  /** A tensor's sizes, outermost first. */
  shape(name: string): number[];
  /** How the file stores a tensor's numbers: F32, F16, BF16, Q8_0, ... */
  dtype(name: string): string;
  /**
   * Reads one tensor and converts it to float32. Where `buffer` is large enough the result lies in
   * it, until the next read into the same one. `rows` reads only these of the first axis.
   */
  read(name: string, buffer?: ArrayBuffer, rows?: Rows): Promise<Float32Array>;
  /** Lets go of the file. */
  close(): void;
}

/** One training or evaluation reading, with TRL's keys; log-probabilities and rewards in nats, means over pairs. */
export type PreferenceMetrics = {
  loss: number;
  "rewards/chosen": number;
  "rewards/rejected": number;
  /** Share of pairs whose chosen reward is strictly greater. */
  "rewards/accuracies": number;
  /** Share of pairs whose rewards are equal. */
  "rewards/ties": number;
  "rewards/margins": number;
  "logps/chosen": number;
  "logps/rejected": number;
  /** Mean change of the chosen answers' log-probability against the reference. */
  "drift/chosen": number;
  "drift/rejected": number;
  /** Accuracies with ties counted half: 0.5 for an untrained policy. */
  chosenPreference: number;
  pairs: number;
};
