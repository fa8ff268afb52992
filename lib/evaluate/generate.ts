import { UserError } from "../errors.ts";
import { checkReach } from "../model/embedding.ts";
import { generateTokens, type GenerateTokensOptions } from "../model/generate_tokens.ts";
import { encodePrompt } from "../tokenizer/encode_pair.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Models } from "../train/build_models.ts";
import type { Warning } from "../train/guards.ts";
import type { Message } from "../types.ts";

/** Options of {@link generate}. */
export type GenerateOptions = Partial<Omit<GenerateTokensOptions, "stopIds">> & {
  /** Whether the policy (`true`, the default) or the reference writes. */
  adapter?: boolean;
  /** Prompts that are continued together. Default 16. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
  /** Called before anything is written, where there is something that the user should know. */
  onWarning?: (warning: Warning) => void;
};

/** A text that a model wrote. */
export type Generated = {
  text: string;
  /** Its length in tokens, without the one that ended it. */
  tokens: number;
  /** Whether the model ended it itself (EOS), rather than the limit. */
  stopped: boolean;
};

/**
 * Lets the policy, or the reference, continue prompts: keys and values are cached, prompts of
 * similar length share a batch. Greedy at temperature 0, seeded draws above.
 *
 * **Source**: nucleus sampling (`topP`), arXiv 1904.09751.
 * **Memory**: no tensor is left behind.
 *
 * @param prompts plain strings, or messages, which the model's chat template lays out.
 * @returns the texts, in the order of `prompts`.
 * @throws {UserError} when a prompt has no token, or messages come and the model has no template.
 *
 * @example A text stops by itself or at the limit.
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildModels } from "../train/build_models.ts";
 * import { generate } from "./generate.ts";
 * using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
 * const prompt = "Clinical Note: Patient has fever.\n\nSummary:";
 * const [written] = await generate(models, [prompt], { maxNewTokens: 5 });
 * assert(written.stopped || written.tokens === 5);
 * ```
 */
export async function generate(
  models: Models,
  prompts: readonly (string | Message[])[],
  options: GenerateOptions = {},
): Promise<Generated[]> {
  const { adapter = true, batchSize = 16, maxNewTokens = 128, ...rest } = options;
  const { network, tokenizer, trainable } = models;
  const encoded = encodePrompts(tokenizer, prompts);
  const lengths = encoded.map(({ ids }) => ids.length + maxNewTokens);
  for (const length of lengths) checkReach(network.config, length - 1);
  for (const warning of reachWarnings(lengths, network.config.maxPositions)) {
    options.onWarning?.(warning);
  }
  const order = encoded.toSorted((a, b) => a.ids.length - b.ids.length);
  const results: Generated[] = new Array(prompts.length);
  for (let start = 0; start < order.length; start += batchSize) {
    const batch = order.slice(start, start + batchSize);
    const adapters = adapter ? trainable.adapters() : null;
    const written = await generateTokens(network, adapters, batch, {
      ...rest,
      maxNewTokens,
      stopIds: [...tokenizer.eosIds],
    });
    written.forEach(({ tokens, stopped }, i) => {
      results[batch[i].index] = { text: tokenizer.decode(tokens), tokens: tokens.length, stopped };
    });
    options.onProgress?.(Math.min(start + batchSize, order.length), order.length);
  }
  return results;
}

function encodePrompts(tokenizer: Tokenizer, prompts: readonly (string | Message[])[]) {
  return prompts.map((prompt, index) => {
    const ids = encodePrompt(tokenizer, prompt);
    if (ids.length > 0) return { ids, index };
    throw new UserError(`Cannot continue prompt ${index + 1}: it is empty`, { field: "prompt" });
  });
}

/** Tells of texts that may grow beyond what the model was made for; `lengths` counts their tokens. */
function reachWarnings(lengths: number[], maxPositions: number): Warning[] {
  const long = lengths.filter((length) => length > maxPositions);
  if (long.length === 0) return [];
  const message = `${long.length} of ${lengths.length} prompts may lead beyond the ` +
    `${maxPositions} tokens that this model was made for (the longest to ` +
    `${
      long.reduce((a, b) => Math.max(a, b))
    }): what it writes there is a guess. Shorten them, or ` +
    "lower --max_new_tokens.";
  return [{ code: "long_prompts", message }];
}
