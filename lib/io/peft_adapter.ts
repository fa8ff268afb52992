import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { HostTensor } from "../types.ts";
import { readJsonObject } from "./read_json.ts";
import { openSafetensors } from "./safetensors.ts";
import { writeSafetensors } from "./write_safetensors.ts";
import { readTorchBin, writeTorchBin } from "./torch_bin.ts";
import { writeFileAtomic } from "./write_atomic.ts";

/** What `adapter_config.json` says of a LoRA adapter, under PEFT's own names. */
export type PeftAdapterConfig = {
  /** The adapted model as the file names it: a folder or a hub id. */
  base_model_name_or_path: string | null;
  /** Rank. */
  r: number;
  lora_alpha: number;
  /** Scale alpha / sqrt(r) instead of alpha / r. */
  use_rslora: boolean;
  /** Ends of the adapted modules' names. */
  target_modules: string[];
  /** Whether the adapted model stores its matrices `[in, out]`; the adapter's are as ever. */
  fan_in_fan_out: boolean;
};

/** A LoRA adapter in PEFT's layout. */
export type PeftAdapter = {
  config: PeftAdapterConfig;
  /** `base_model.model.<module>.lora_A.weight` `[R, in]` and `lora_B` `[out, R]`. */
  tensors: Map<string, HostTensor>;
};

// Required here are also those that PEFT silently fills: lora_alpha with 8, target_modules by model.
const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  base_model_name_or_path: z.string().nullable().default(null),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().nullish().transform((value) => value ?? false),
  target_modules: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  bias: z.literal("none").default("none"),
  fan_in_fan_out: z.boolean().nullish().transform((value) => value ?? false),
});

/** Features that change the numbers and are not computed here; they must be absent, false or empty. */
const UNSUPPORTED = [
  ...["use_dora", "lora_bias", "use_qalora", "use_bdlora", "modules_to_save"],
  ...["rank_pattern", "alpha_pattern", "layer_replication", "trainable_token_indices"],
  ...["target_parameters", "alora_invocation_tokens", "arrow_config", "kasa_config"],
  ...["monteclora_config", "velora_config"],
];

const TENSOR_NAME = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/;

/**
 * Reads a LoRA adapter that this project, PEFT or TRL wrote: `adapter_config.json` with
 * `adapter_model.safetensors`, else `adapter_model.bin`. What PEFT passes over with a warning or in
 * silence (a missing `lora_alpha`, tensors under other names, a target without tensors) is an error.
 *
 * **Shapes and dtypes**: float32, A `[R, in]`, B `[out, R]`.
 *
 * @returns The adapter, and the adapted model's folder where it can be found: as the config names it,
 * or relative to `folder`.
 * @throws {UserError} Where a file is missing or damaged, or the adapter is more than plain LoRA.
 */
export async function readPeftAdapter(
  folder: string,
): Promise<PeftAdapter & { basePath: string | null }> {
  const path = join(folder, "adapter_config.json");
  const { target_modules: targets, ...config } = parseConfig(await readJsonObject(path), path);
  const tensors = await readTensors(folder);
  const modules = checkTensors(tensors, { r: config.r, folder });
  if (typeof targets !== "string") checkTargets(targets, { modules, path });
  const named = config.base_model_name_or_path;
  const basePath = named && await firstFolder([named, join(folder, named)]);
  return {
    config: { ...config, target_modules: namedTargets(targets, modules) },
    tensors,
    basePath,
  };
}

/** Targets as a list: of a pattern, which is known by what it matched, the modules themselves. */
function namedTargets(targets: string | string[], modules: string[]): string[] {
  if (typeof targets !== "string") return targets;
  if (targets !== "all-linear") return modules;
  return [...new Set(modules.map((module) => module.split(".").at(-1)!))];
}

/**
 * Writes an adapter as PEFT lays it out: `adapter_config.json`, `adapter_model.safetensors`, and the
 * same tensors in `adapter_model.bin`, which `torch.load(..., weights_only=True)` reads. Each file is
 * atomic; {@link writeFolderAtomic} around the call makes the folder so.
 *
 * @throws {UserError} Where a tensor breaks PEFT's layout or a file can't be written.
 */
export async function writePeftAdapter(
  folder: string,
  { config, tensors }: PeftAdapter,
): Promise<void> {
  checkTensors(tensors, { r: config.r, folder });
  const content = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    inference_mode: true,
    ...config,
    bias: "none",
    lora_dropout: 0,
    init_lora_weights: true,
    use_dora: false,
    modules_to_save: null,
    rank_pattern: {},
    alpha_pattern: {},
  };
  const json = JSON.stringify(content, null, 2) + "\n";
  await writeFileAtomic(join(folder, "adapter_config.json"), json);
  await writeSafetensors(join(folder, "adapter_model.safetensors"), tensors);
  await writeTorchBin(join(folder, "adapter_model.bin"), tensors);
}

function parseConfig(json: Record<string, unknown>, path: string) {
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) {
    const [{ path: keys, message }] = parsed.error.issues;
    throw badConfig(path, {
      field: String(keys[0]),
      reason: message,
      found: json[String(keys[0])],
    });
  }
  for (const field of UNSUPPORTED) {
    const value = json[field];
    const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
    if (value === undefined || value === null || value === false || empty) continue;
    const reason = "only plain LoRA can be read, so it must be absent, false or empty";
    throw badConfig(path, { field, reason, found: value });
  }
  const { base_model_name_or_path, r, lora_alpha, use_rslora } = parsed.data;
  const { target_modules, fan_in_fan_out } = parsed.data;
  return { base_model_name_or_path, r, lora_alpha, use_rslora, target_modules, fan_in_fan_out };
}

function badConfig(
  path: string,
  { field, reason, found }: { field: string; reason: string; found: unknown },
): UserError {
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  const message = `Cannot use the adapter config "${path}": "${field}": ${reason}, found ${shown}`;
  return new UserError(message, { path, field });
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

async function readTensors(folder: string): Promise<Map<string, HostTensor>> {
  const [safetensors, bin] = ["safetensors", "bin"].map((end) =>
    join(folder, `adapter_model.${end}`)
  );
  if (!await isFile(safetensors)) {
    if (await isFile(bin)) return await readTorchBin(bin);
    const wanted = "wanted adapter_model.safetensors or adapter_model.bin";
    throw new UserError(`Cannot read the adapter "${folder}": ${wanted}`, { path: folder });
  }
  const source = await openSafetensors(safetensors);
  try {
    const tensors = new Map<string, HostTensor>();
    for (const name of source.names()) {
      tensors.set(name, { shape: source.shape(name), data: await source.read(name) });
    }
    return tensors;
  } finally {
    source.close();
  }
}

/** Checks names and shapes; returns the adapted modules. */
function checkTensors(
  tensors: Map<string, HostTensor>,
  { r, folder }: { r: number; folder: string },
): string[] {
  const fail = (field: string, reason: string) =>
    new UserError(`Cannot use the adapter "${folder}": tensor "${field}" ${reason}`, {
      path: folder,
      field,
    });
  const modules = new Set<string>();
  for (const [name, { shape }] of tensors) {
    const [, module, side] = TENSOR_NAME.exec(name) ?? [];
    if (!module) {
      throw fail(name, `is not named base_model.model.<module>.lora_A.weight or lora_B.weight`);
    }
    const rank = side === "A" ? shape[0] : shape[1];
    if (shape.length !== 2 || rank !== r) {
      const wanted = side === "A" ? `[${r}, in]` : `[out, ${r}]`;
      throw fail(name, `must be ${wanted} for r = ${r}, found [${shape.join(", ")}]`);
    }
    const other = `base_model.model.${module}.lora_${side === "A" ? "B" : "A"}.weight`;
    if (!tensors.has(other)) throw fail(name, `is there without "${other}"`);
    modules.add(module);
  }
  if (modules.size > 0) return [...modules];
  throw new UserError(`Cannot use the adapter "${folder}": it holds no tensors`, { path: folder });
}

function checkTargets(
  targets: string[],
  { modules, path }: { modules: string[]; path: string },
): void {
  const matches = (module: string, target: string) =>
    module === target || module.endsWith(`.${target}`);
  const without = targets.find((target) => !modules.some((module) => matches(module, target)));
  const extra = modules.find((module) => !targets.some((target) => matches(module, target)));
  if (without === undefined && extra === undefined) return;
  const reason = without === undefined
    ? `must name every module that has tensors, "${extra}" is missing`
    : `"${without}" has no tensors in the adapter`;
  throw badConfig(path, { field: "target_modules", reason, found: targets });
}

async function firstFolder(candidates: string[]): Promise<string | null> {
  for (const path of candidates) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return null;
}
