import { GGUF_ARCHITECTURES, ggufName, hfName } from "../../lib/model/gguf_names.ts";
import { weightShapes } from "../../lib/model/weight_shapes.ts";
import { assertEquals } from "../../lib/std.ts";
import { TINY } from "./taped_llama.ts";

Deno.test("ggufName() has a name for every weight, and hfName() is the way back", () => {
  const config = { ...TINY, tiedHead: false, attentionBias: true, mlpBias: true };
  for (const architecture of Object.keys(GGUF_ARCHITECTURES)) {
    for (const name of weightShapes(config).keys()) {
      const target = ggufName(name, architecture)!;
      const { headsKey } = target;
      assertEquals(hfName(target.name, architecture), { name, headsKey });
      const heads = /q_proj/.test(name) ? "attention.head_count" : "attention.head_count_kv";
      assertEquals(headsKey, /[qk]_proj/.test(name) ? heads : undefined, name);
    }
  }
  assertEquals(
    ggufName("model.layers.3.self_attn.q_proj.weight", "llama")?.name,
    "blk.3.attn_q.weight",
  );
  for (
    const none of ["model.layers.0.mlp.weight", "lm_head", "model.layers.x.input_layernorm.weight"]
  ) {
    assertEquals(ggufName(none, "llama"), undefined);
  }
});
