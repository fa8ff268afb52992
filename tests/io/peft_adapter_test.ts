import { join } from "node:path";
import { readPeftAdapter, writePeftAdapter } from "../../lib/io/peft_adapter.ts";
import { openSafetensors } from "../../lib/io/safetensors.ts";
import { writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { readTorchBin } from "../../lib/io/torch_bin.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { HostTensor } from "../../lib/types.ts";
import { userError } from "./damage.ts";

const module = "base_model.model.model.layers.0.self_attn.q_proj";
const tensors = new Map<string, HostTensor>([
  [`${module}.lora_A.weight`, { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  [`${module}.lora_B.weight`, { shape: [4, 2], data: new Float32Array(8).fill(0.5) }],
]);
const config = {
  base_model_name_or_path: "owner/model",
  r: 2,
  lora_alpha: 4,
  use_rslora: false,
  target_modules: ["q_proj"],
  fan_in_fan_out: false,
};

async function adapterWith(change: Record<string, unknown>): Promise<string> {
  const folder = await Deno.makeTempDir();
  await writePeftAdapter(folder, { config, tensors });
  const path = join(folder, "adapter_config.json");
  const json = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...json, ...change }));
  return folder;
}

Deno.test("writePeftAdapter() writes what readPeftAdapter() reads, from either file", async () => {
  const folder = await Deno.makeTempDir();
  await writePeftAdapter(folder, { config, tensors });
  assertEquals(await readPeftAdapter(folder), { config, tensors, basePath: null });
  await Deno.remove(join(folder, "adapter_model.safetensors"));
  assertEquals(await readPeftAdapter(folder), { config, tensors, basePath: null });
});

Deno.test("writePeftAdapter() writes the same tensors into both files", async () => {
  const folder = await Deno.makeTempDir();
  await writePeftAdapter(folder, { config, tensors });
  assertEquals(await readTorchBin(join(folder, "adapter_model.bin")), tensors);
  const source = await openSafetensors(join(folder, "adapter_model.safetensors"));
  assertEquals(source.names(), [...tensors.keys()]);
  source.close();
});

Deno.test("readPeftAdapter() finds the adapted model beside the adapter", async () => {
  const name = `base-${crypto.randomUUID()}`; // nothing of that name stands where the tests run
  const folder = await adapterWith({ base_model_name_or_path: name }), base = join(folder, name);
  assertEquals((await readPeftAdapter(folder)).basePath, null);
  await Deno.mkdir(base);
  assertEquals((await readPeftAdapter(folder)).basePath, base);
  await Deno.remove(base);
});

Deno.test("readPeftAdapter() lists the adapted modules where the config has a pattern", async () => {
  const targets = async (target_modules: unknown) =>
    (await readPeftAdapter(await adapterWith({ target_modules }))).config.target_modules;
  assertEquals(await targets("all-linear"), ["q_proj"]);
  const whole = module.replace("base_model.model.", "");
  assertEquals(await targets(".*layers.0.*q_proj"), [whole]); // and no other layer's
  assertEquals(await targets([whole]), [whole]);
});

Deno.test("readPeftAdapter() makes PEFT's silent traps loud", async () => {
  const cases: [change: Record<string, unknown>, reason: RegExp][] = [
    [{ lora_alpha: undefined }, /"lora_alpha": .* expected number.*, found nothing/],
    [{ target_modules: undefined }, /"target_modules": .*, found nothing/],
    [{ target_modules: [] }, /"target_modules": .*, found \[\]/],
    [{ target_modules: ["q_proj", "v_proj"] }, /"target_modules": "v_proj" has no tensors/],
    [{ target_modules: ["v_proj"] }, /"v_proj" has no tensors/],
    [{ peft_type: "IA3" }, /"peft_type": .*"LORA", found "IA3"/],
    [{ r: 0 }, /"r": .*, found 0/],
    [{ bias: "all" }, /"bias": .*, found "all"/],
    [{ use_dora: true }, /"use_dora": only plain LoRA can be read, .* found true/],
    [{ modules_to_save: ["lm_head"] }, /"modules_to_save": only plain LoRA .* found \["lm_head"\]/],
    [{ rank_pattern: { q_proj: 4 } }, /"rank_pattern": only plain LoRA/],
    [{ r: 3 }, /lora_A.weight" must be \[3, in\] for r = 3, found \[2, 3\]/],
  ];
  for (const [change, reason] of cases) {
    const { message } = await userError(readPeftAdapter(await adapterWith(change)));
    assert(message.startsWith("Cannot use the adapter") && reason.test(message), message);
  }
});

Deno.test("readPeftAdapter() refuses tensors that PEFT would not find", async () => {
  const [[nameA, a], [nameB, b]] = tensors;
  const cases: [list: [string, HostTensor][], reason: RegExp][] = [
    [[[nameA.replace("base_model.model.", ""), a], [nameB, b]], /is not named base_model\.model\./],
    [[[nameA, a]], /is there without ".*lora_B\.weight"/],
    [[], /it holds no tensors/],
  ];
  for (const [list, reason] of cases) {
    const folder = await adapterWith({});
    await writeSafetensors(join(folder, "adapter_model.safetensors"), list);
    const { message } = await userError(readPeftAdapter(folder));
    assert(reason.test(message), message);
  }
});

Deno.test("readPeftAdapter() says which files it wanted", async () => {
  const folder = await Deno.makeTempDir();
  const { message } = await userError(readPeftAdapter(folder));
  const path = join(folder, "adapter_config.json");
  assertEquals(message, `Cannot read "${path}": there is no such file or folder`);
  const half = await adapterWith({});
  for (const end of ["safetensors", "bin"]) await Deno.remove(join(half, `adapter_model.${end}`));
  const wanted = "wanted adapter_model.safetensors or adapter_model.bin";
  const error = await userError(readPeftAdapter(half));
  assertEquals(error.message, `Cannot read the adapter "${half}": ${wanted}`);
});
