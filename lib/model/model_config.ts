import type { RopeScaling } from "../layers/rope_frequencies.ts";

/** Families of models, by the `model_type` of their config.json. */
export type FamilyName =
  | "llama"
  | "qwen2"
  | "qwen3"
  | "mistral"
  | "gpt2"
  | "gemma3_text"
  | "gemma3";

/** The sizes and switches of a model, under the project's names. What its family says isn't here. */
export type ModelConfig = {
  family: FamilyName;
  vocabSize: number;
  hiddenSize: number;
  feedForwardSize: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headDim: number;
  normEpsilon: number;
  /** Base of RoPE's angles; null where positions don't turn heads. */
  ropeTheta: number | null;
  /** How angles are stretched for longer texts; absent where they aren't. */
  ropeScaling?: RopeScaling;
  /** What scores are multiplied by before softmax; `headDim ** -0.5` where absent. */
  attentionScale?: number;
  /** Layers in which a token sees no further back; absent where each sees all. */
  windows?: AttentionWindows;
  maxPositions: number;
  tiedHead: boolean;
  attentionBias: boolean;
  mlpBias: boolean;
};

/** Sliding windows of attention. */
export type AttentionWindows = {
  /** Tokens that one sees, with itself. */
  size: number;
  /** Whether a layer has the window, for each. */
  layers: boolean[];
  /** Base of RoPE's angles in these layers, where it is another one; never stretched. */
  ropeTheta?: number;
};
