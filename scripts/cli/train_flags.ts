import { memoryReader } from "../../lib/train/guards.ts";
import type { TrainLoopOptions } from "../../lib/train/train_types.ts";
import { type BuildModelsOptions, precisions, schedules } from "../../mod.ts";
import type { Flags, FlagValues } from "./flags.ts";

/** Flags of all scripts that compute. */
export const backendFlags = {
  backend: {
    type: "choice",
    choices: ["auto", "tensorflow", "webgpu", "wasm", "cpu"] as const,
    default: "auto",
    help: "What computes",
  },
} satisfies Flags;

/** Flags of scripts that use a model which is trained already. */
export const modelFlags = {
  model_path: {
    type: "string",
    value: "PATH",
    help: "A model folder, a .gguf file or an adapter folder (default: what adapter_path adapts)",
  },
  adapter_path: { type: "string", value: "PATH", help: "A trained adapter over it: the policy" },
} satisfies Flags;

/** Flags of scripts that let models write, to judge them by it. */
export const writingFlags = {
  max_new_tokens: { type: "integer", min: 1, default: 128, help: "Longest text that is written" },
  temperature: {
    type: "number",
    min: 0,
    default: 0,
    help: "0 takes the likeliest token; 1 draws as the model believes, and shows more mistakes",
  },
  seed: { type: "integer", min: 0, default: 42, help: "Draws at temperature above 0" },
} satisfies Flags;

/** Flags of both trainers; what differs is given by each. */
export const trainFlags = {
  num_epochs: { type: "integer", min: 1, default: 2, help: "Passes over the training file" },
  gradient_accumulation_steps: {
    type: "integer",
    min: 1,
    default: 1,
    help: "Batches that make one step; equals one large batch",
  },
  lora_r: { type: "integer", min: 1, default: 16, help: "Rank of the LoRA adapter" },
  lora_alpha: {
    type: "number",
    above: 0,
    default: 32,
    help: "The adapter's update is scaled by alpha / r",
  },
  target_modules: {
    type: "list",
    help: "Modules to adapt, or all-linear (default: q_proj,v_proj; of GPT-2 c_attn)",
  },
  use_rslora: { type: "boolean", help: "Scales by alpha / sqrt(r) instead" },
  max_length: {
    type: "integer",
    min: 2,
    default: 1024,
    help: "Most tokens of prompt and response together; what is longer is cut",
  },
  lr_scheduler: {
    type: "choice",
    choices: schedules,
    default: "linear",
    help: "Course of the learning rate after warm-up",
  },
  warmup_ratio: {
    type: "number",
    min: 0,
    max: 1,
    default: 0.1,
    help: "Share of the steps in which the rate rises from 0",
  },
  max_grad_norm: {
    type: "number",
    min: 0,
    default: 1,
    help: "Longer gradients are scaled down to it; 0: never",
  },
  weight_decay: { type: "number", min: 0, default: 0, help: "AdamW's decoupled decay" },
  gradient_checkpointing: {
    type: "boolean",
    help: "Computes layers twice instead of keeping them: less memory, more time",
  },
  precision: {
    type: "choice",
    choices: precisions,
    default: "float32",
    help: "What frozen weights multiply in: bf32 rounds them to bfloat16 for each product, for " +
      "less time; bfloat16 keeps them so, for half their memory too; evaluation is float32 " +
      "always; both on TensorFlow only",
  },
  seed: { type: "integer", min: 0, default: 42, help: "Draws the adapter and the data's order" },
  max_steps: { type: "integer", min: 1, help: "Ends the run after so many steps" },
  save_steps: {
    type: "integer",
    min: 1,
    help: "Writes a checkpoint each so many steps too; the newest of them stays",
  },
  resume: {
    type: "string",
    value: "[PATH]",
    bare: "auto",
    help: "Goes on from this run's furthest checkpoint in output_dir, or from the one at PATH",
  },
  skip_invalid: { type: "boolean", help: "Leaves bad rows out and counts them" },
  dry_run: {
    type: "boolean",
    help: "Says what memory and time the run will take, and trains nothing",
  },
  ...backendFlags,
} satisfies Flags;

/** What both trainers are told by their flags. */
export type TrainValues = FlagValues<typeof trainFlags> & {
  batch_size: number;
  learning_rate: number;
  output_dir: string;
};

/** What is trained, from the flags. */
export function modelOptions(flags: TrainValues): Omit<BuildModelsOptions, "sftModelPath"> {
  return {
    rank: flags.lora_r,
    alpha: flags.lora_alpha,
    targetModules: flags.target_modules,
    rsLora: flags.use_rslora,
    seed: flags.seed,
    precision: flags.precision,
    backend: flags.backend,
  };
}

/** The loop's options from the flags. */
export function loopOptions(flags: TrainValues): Omit<TrainLoopOptions, "signal"> {
  return {
    epochs: flags.num_epochs,
    batchSize: flags.batch_size,
    gradientAccumulationSteps: flags.gradient_accumulation_steps,
    learningRate: flags.learning_rate,
    schedule: flags.lr_scheduler,
    warmupRatio: flags.warmup_ratio,
    maxGradNorm: flags.max_grad_norm,
    weightDecay: flags.weight_decay,
    seed: flags.seed,
    maxSteps: flags.max_steps,
    saveSteps: flags.save_steps,
    outputDir: flags.output_dir,
    resumeFrom: flags.resume,
    memory: memoryReader(),
  };
}
