import { join } from "node:path";
import { readPeftAdapter, writePeftAdapter } from "../../lib/io/peft_adapter.ts";
import { adapterFromPeft, adapterToPeft } from "../../lib/lora/peft_format.ts";
import { assertEquals } from "../../lib/std.ts";
import { TINY } from "../model/taped_llama.ts";
import { trainedAdapter } from "./tiny_network.ts";

Deno.test("adapterFromPeft() gives back what adapterToPeft() wrote, from both files", async () => {
  for (const config of [{}, { rank: 5, targetModules: ["all-linear"], rsLora: true, alpha: 1.5 }]) {
    const adapter = trainedAdapter(config, 2), folder = await Deno.makeTempDir();
    await writePeftAdapter(folder, adapterToPeft(adapter, "some/base", TINY));
    const read = await readPeftAdapter(folder);
    assertEquals(read.config.base_model_name_or_path, "some/base");
    assertEquals(adapterFromPeft(read), adapter);
    await Deno.remove(join(folder, "adapter_model.safetensors"));
    assertEquals(adapterFromPeft(await readPeftAdapter(folder)), adapter); // of the .bin
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("adapterToPeft() names tensors and settings as PEFT does", () => {
  const adapter = trainedAdapter({ rank: 4, alpha: 8 }, 2);
  const { config, tensors } = adapterToPeft(adapter, "base", TINY);
  assertEquals(config, {
    base_model_name_or_path: "base",
    r: 4,
    lora_alpha: 8,
    use_rslora: false,
    target_modules: ["q_proj", "v_proj"],
    fan_in_fan_out: false,
  });
  const [first] = tensors.keys();
  assertEquals(first, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
});
