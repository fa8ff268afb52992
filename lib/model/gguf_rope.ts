import { UserError } from "../errors.ts";
import type { GgufMetadata } from "../io/write_gguf.ts";
import { ropeFrequencies, type RopeScaling } from "../layers/rope_frequencies.ts";

/** The tensor that holds what each pair's angle is divided by; llama.cpp has no keys for Llama 3's way. */
export const ROPE_FACTORS = "rope_freqs.weight";

/** YaRN's own factor of both tables, eq. 22 of arXiv 2309.00071, which llama.cpp always takes. */
const yarnFactor = (factor: number) => factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;

/**
 * Says how angles are stretched in GGUF's words.
 *
 * **Source**: llama.cpp's `conversion/base.py` and `conversion/llama.py`; of how it computes YaRN,
 * `llama-context.cpp` and ggml's `ggml_rope_yarn_corr_dims`.
 *
 * @returns Keys without the architecture's prefix, and for Llama 3's way the factors instead.
 * @throws {UserError} Where llama.cpp would stretch otherwise.
 */
export function ropeToGguf(
  scaling: RopeScaling,
  { headDim, ropeTheta, path }: { headDim: number; ropeTheta: number; path: string },
): { keys: GgufMetadata; factors?: Float32Array } {
  switch (scaling.type) {
    case "linear":
      return { keys: { ...kind("linear"), "rope.scaling.factor": { f32: scaling.factor } } };
    case "llama3": {
      const plain = ropeFrequencies(headDim, ropeTheta);
      const stretched = ropeFrequencies(headDim, ropeTheta, scaling);
      return { keys: {}, factors: Float32Array.from(plain, (angle, i) => angle / stretched[i]) };
    }
    case "yarn": {
      if (!scaling.truncate) {
        const wanted = "true: llama.cpp's ramp ends at whole pairs";
        throw new UserError(
          `Cannot write "${path}" as GGUF: yarn's "truncate" must be ${wanted}, found false`,
          { path, field: "rope_parameters.truncate" },
        );
      }
      const { factor, originalPositions, betaFast, betaSlow, attentionFactor } = scaling;
      return {
        keys: {
          ...kind("yarn"),
          "rope.scaling.factor": { f32: factor },
          "rope.scaling.original_context_length": { u32: originalPositions },
          "rope.scaling.attn_factor": { f32: attentionFactor / yarnFactor(factor) },
          "rope.scaling.yarn_beta_fast": { f32: betaFast },
          "rope.scaling.yarn_beta_slow": { f32: betaSlow },
        },
      };
    }
  }
}

const kind = (text: string): GgufMetadata => ({ "rope.scaling.type": { text } });

export type RopeFromGgufOptions = {
  /** A key's value, by its name without the architecture's prefix. */
  read: (key: string) => unknown;
  headDim: number;
  ropeTheta: number;
  contextLength: number;
  /** {@link ROPE_FACTORS}, where the file has it. */
  factors?: Float32Array;
  path: string;
};

/**
 * The way back from {@link ropeToGguf}: `rope_scaling` of a config.json. A kind that isn't known here is
 * named, for whoever reads the config to refuse.
 *
 * @throws {UserError} Where the file's factors aren't Llama 3's.
 */
export function ropeFromGguf(
  { read, headDim, ropeTheta, contextLength, factors, path }: RopeFromGgufOptions,
): Record<string, unknown> | undefined {
  if (factors?.some((factor) => factor !== 1)) {
    return llama3Of(factors, { headDim, ropeTheta, path });
  }
  const rope_type = read("rope.scaling.type") ?? (read("rope.scale_linear") ? "linear" : "none");
  if (rope_type === "none") return undefined;
  const factor = read("rope.scaling.factor") ?? read("rope.scale_linear");
  if (rope_type !== "yarn") return { rope_type, factor };
  const attention = read("rope.scaling.attn_factor") as number | undefined;
  return {
    rope_type,
    factor,
    original_max_position_embeddings: read("rope.scaling.original_context_length") ?? contextLength,
    beta_fast: read("rope.scaling.yarn_beta_fast") ?? 32,
    beta_slow: read("rope.scaling.yarn_beta_slow") ?? 1,
    ...(attention !== undefined && {
      attention_factor: attention * yarnFactor(factor as number),
    }),
  };
}

/** All of Meta's models have the ramp between 1 and 4 turns; the two other numbers are in the factors. */
const RAMP = { low_freq_factor: 1, high_freq_factor: 4 };

function llama3Of(
  factors: Float32Array,
  { headDim, ropeTheta, path }: Pick<RopeFromGgufOptions, "headDim" | "ropeTheta" | "path">,
): Record<string, unknown> {
  const factor = Math.max(...factors), plain = ropeFrequencies(headDim, ropeTheta);
  const { low_freq_factor: low, high_freq_factor: high } = RAMP;
  const onRamp = factors.findIndex((found) => found > 1 && found < factor);
  if (onRamp >= 0) {
    const kept = (1 / factors[onRamp] - 1 / factor) / (1 - 1 / factor);
    const turns = low + kept * (high - low);
    const originalPositions = Math.round(turns * 2 * Math.PI / plain[onRamp]);
    const numbers = { factor, lowFrequencyFactor: low, highFrequencyFactor: high };
    const scaling: RopeScaling = { type: "llama3", ...numbers, originalPositions };
    const wanted = ropeFrequencies(headDim, ropeTheta, scaling);
    if (wanted.every((angle, i) => Math.abs(plain[i] / angle / factors[i] - 1) < 1e-3)) {
      const original_max_position_embeddings = originalPositions;
      return { rope_type: "llama3", factor, ...RAMP, original_max_position_embeddings };
    }
  }
  throw new UserError(
    `Cannot use "${path}": its "${ROPE_FACTORS}" must hold Llama 3's factors, with a ramp between ` +
      `${low} and ${high} turns, found others`,
    { path, field: ROPE_FACTORS },
  );
}
