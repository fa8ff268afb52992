import { quantTypeOfBits, tensorFormat } from "../../lib/convert/quant_types.ts";
import { assertEquals } from "../../lib/std.ts";
import { TINY } from "../model/taped_llama.ts";

const base = { pure: false, tied: false, layers: 32 };

Deno.test("tensorFormat() chooses as llama.cpp does", () => {
  const of = (name: string, type: "q4_k_m" | "q4_0" | "q8_0" | "f16", change = {}) =>
    tensorFormat(name, [512, 4096], { ...base, type, ...change });
  assertEquals(of("blk.5.attn_q.weight", "q4_k_m"), { format: "Q4_K" });
  assertEquals(of("output.weight", "q4_k_m"), { format: "Q6_K" });
  assertEquals(of("token_embd.weight", "q4_0"), { format: "Q4_0" });
  assertEquals(of("token_embd.weight", "q4_0", { tied: true }), { format: "Q6_K" });
  assertEquals(of("output.weight", "q8_0"), { format: "Q8_0" });
  assertEquals(of("output.weight", "q4_0", { pure: true }), { format: "Q4_0" });
  assertEquals(of("output.weight", "f16"), { format: "F16" });
  assertEquals(of("blk.0.ffn_gate.weight", "q4_k_m"), { format: "Q4_K" });
  // Of 32 blocks the first and last four, and every third between, have more bits.
  const more = Array.from({ length: 32 }, (_, layer) => layer)
    .filter((layer) => of(`blk.${layer}.ffn_down.weight`, "q4_k_m").format === "Q6_K");
  assertEquals(more, [0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31]);
  assertEquals(of("blk.6.attn_v.weight", "q4_k_m"), { format: "Q6_K" });
  assertEquals(of("blk.6.attn_v.weight", "q4_k_m", { pure: true }), { format: "Q4_K" });
  assertEquals(of("blk.6.attn_qkv.weight", "q4_k_m"), { format: "Q6_K" });
  assertEquals(of("blk.6.attn_qkv.weight", "q4_0"), { format: "Q4_0" });
  assertEquals(of("position_embd.weight", "q4_0"), { format: "F32" });
  for (const name of ["blk.0.attn_q.bias", "output_norm.weight"]) {
    assertEquals(tensorFormat(name, [4096], { ...base, type: "q4_0" }), { format: "F32" });
  }
});

Deno.test("tensorFormat() falls back where rows don't divide into blocks, and says so", () => {
  const of = (name: string, type: "q4_k_m" | "q4_0" | "q6_k" | "q8_0", columns: number) =>
    tensorFormat(name, [512, columns], { ...base, type });
  const q = "blk.7.attn_q.weight";
  assertEquals(of(q, "q4_k_m", 576), { format: "Q5_0", wanted: "Q4_K" });
  assertEquals(of(q, "q6_k", 576), { format: "Q8_0", wanted: "Q6_K" });
  assertEquals(of("output.weight", "q4_k_m", 576), { format: "Q8_0", wanted: "Q6_K" });
  assertEquals(of("output.weight", "q4_0", 576), { format: "Q8_0", wanted: "Q6_K" });
  for (const type of ["q4_k_m", "q4_0", "q6_k", "q8_0"] as const) {
    assertEquals(of(q, type, 40).format, "F16", type);
  }
});

Deno.test("quantTypeOfBits() takes the larger blocks where all rows divide into them", () => {
  const large = { ...TINY, hiddenSize: 512, feedForwardSize: 1536, heads: 8, headDim: 64 };
  assertEquals(quantTypeOfBits(4, large), "q4_k_m");
  assertEquals(quantTypeOfBits(4, { ...large, feedForwardSize: 1500 }), "q4_0");
  assertEquals(quantTypeOfBits(8, TINY), "q8_0");
});
