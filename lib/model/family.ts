import type { Activation } from "../layers/activation.ts";
import type { FamilyName, ModelConfig } from "./model_config.ts";

/** A block's linear layers, by what they do; `qkv` gives all three at once, one behind another. */
export type LinearPart = "q" | "k" | "v" | "qkv" | "o" | "gate" | "up" | "down";

/**
 * A block's norms: before attention and MLP, of what these give (where a block has such), and of each
 * query's and key's head.
 */
export type NormPart = "attention" | "attentionOutput" | "mlp" | "mlpOutput" | "q" | "k";

/**
 * What one block code reads to be a family's: which parts there are, what checkpoints call them, and of
 * which kind they are. A part without a name isn't there.
 */
export type Family = {
  name: FamilyName;
  /**
   * Reads a `config.json` that is already parsed as JSON.
   *
   * @throws {UserError} when a field is missing, or asks for what isn't computed here.
   */
  readConfig(json: unknown, path: string): ModelConfig;
  /** Modules outside of blocks; `block` is what comes before a block's number. */
  names: { embedding: string; positions?: string; block: string; norm: string; head: string };
  /** What names begin with, and what instead in checkpoints that were saved otherwise. */
  otherwise: [own: string, saved: string];
  /** Whether checkpoints hold nothing but these weights; others can't be saved whole. */
  isWhole: boolean;
  /** Names behind the block's number, in the order of the checkpoint. */
  linears: Partial<Record<LinearPart, string>>;
  norms: Partial<Record<NormPart, string>> & { attention: string; mlp: string };
  /** RMSNorm, RMSNorm that multiplies by `1 + weight`, or layer norm with a bias. */
  normKind: "rms" | "rms_plus_one" | "layer";
  activation: Activation;
  /** Whether linear weights are stored `[in, out]`, as Conv1D has them. */
  isTransposed: boolean;
  /** Whether tokens enter as `sqrt(hiddenSize)` times their embedding. */
  scalesEmbedding: boolean;
  /** Attention's linear layers that have no bias where the others have one. */
  unbiased: LinearPart[];
  /** What an adapter adapts where nobody says what. */
  defaultTargets: string[];
};
