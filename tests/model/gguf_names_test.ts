import { FAMILIES } from "../../lib/model/families.ts";
import {
  GGUF_ARCHITECTURES,
  ggufArchitecture,
  ggufName,
  hfName,
} from "../../lib/model/gguf_names.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { parseModelConfig } from "../../lib/model/parse_model_config.ts";
import { weightShapes } from "../../lib/model/weight_shapes.ts";
import { assertEquals } from "../../lib/std.ts";
import { TINY_MODELS, tinyFolder } from "../parity/tiny_model.ts";

for (const model of TINY_MODELS) {
  Deno.test(`ggufName() has a name for every weight, and hfName() is the way back (${model})`, async () => {
    const { config: json, tensors } = await openCheckpoint(tinyFolder(model));
    tensors.close();
    const config = parseModelConfig(json, model), { family } = config;
    const architecture = ggufArchitecture(family)!,
      [first] = GGUF_ARCHITECTURES[architecture].families;
    const names = [...weightShapes({ ...config, tiedHead: false }).keys()];
    const targets = names.map((name) => ggufName(name, family)!);
    assertEquals(new Set(targets.map(({ name }) => name)).size, names.length);
    const own = [...weightShapes({ ...config, family: first, tiedHead: false }).keys()];
    targets.forEach(({ name, change }, i) => {
      assertEquals(hfName(name, architecture), { name: own[i], ...(change && { change }) }, name);
    });
  });
}

Deno.test("ggufName() says how a tensor is laid out otherwise", () => {
  const of = (name: string, family: Parameters<typeof ggufName>[1]) => ggufName(name, family);
  const q = "model.layers.3.self_attn.q_proj.weight",
    norm = "model.layers.0.input_layernorm.weight";
  const turned = { kind: "interleaved" as const, headsKey: "attention.head_count" as const };
  assertEquals(of(q, "llama"), { name: "blk.3.attn_q.weight", change: turned });
  assertEquals(of(q, "mistral"), of(q, "llama"));
  assertEquals(of(q, "qwen2"), { name: "blk.3.attn_q.weight" });
  assertEquals(of(norm, "llama"), { name: "blk.0.attn_norm.weight" });
  assertEquals(of(norm, "gemma3_text")?.change, { kind: "plus_one" });
  assertEquals(of("transformer.h.1.attn.c_attn.weight", "gpt2"), {
    name: "blk.1.attn_qkv.weight",
    change: { kind: "transposed" },
  });
  assertEquals(of("transformer.h.1.attn.c_attn.bias", "gpt2")?.change, undefined);
  for (
    const none of ["model.layers.0.mlp.weight", "lm_head", "model.layers.x.mlp.up_proj.weight"]
  ) {
    assertEquals(of(none, "llama"), undefined);
  }
});

Deno.test("ggufArchitecture() knows every family", () => {
  for (const { name } of FAMILIES) assertEquals(typeof ggufArchitecture(name), "string", name);
});
