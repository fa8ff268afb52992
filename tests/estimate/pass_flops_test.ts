import { passFlops } from "../../lib/estimate/pass_flops.ts";
import { parseModelConfig } from "../../lib/model/parse_model_config.ts";
import { assertEquals } from "../../lib/std.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";

const CONFIG = parseModelConfig({
  model_type: "llama",
  vocab_size: 50,
  hidden_size: 8,
  intermediate_size: 10,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
}, "here");
/** Trunk 1 2 3, tails 4 and 5: five tokens at positions 0 1 2 3 3, three of which predict. */
const BATCH = packPairs([{ index: 0, prompt: [1, 2], chosen: [3, 4, 9], rejected: [3, 5, 9] }]);

Deno.test("passFlops() counts what a hand counts", () => {
  // q 8x8, k and v 4x8, o 8x8, gate, up and down 10x8: a product is 2 a number of the weight.
  const products = 2 * (64 + 32 + 32 + 64 + 3 * 80), seen = 1 + 2 + 3 + 4 + 4;
  const attention = 2 * 2 * seen * 8, head = 2 * 5 * 50 * 8; // 3 predicted once a side or shared
  assertEquals(BATCH.rows.length, 5);
  const forward = 2 * (5 * products + attention) + head;
  const lora = 2 * 3 * (8 + 8) * 3; // rank 3 on q: y, dx, dA and dB
  const notNeeded = 5 * 2 * (64 + 32 + 32); // the first layer's dx of q, k and v
  const backward = 2 * (5 * (products + lora) + 2 * attention) + head - notNeeded;
  const adapter = { rank: 3, targetModules: ["q_proj"] };
  assertEquals(passFlops(CONFIG, BATCH, adapter), { forward, gradient: forward + backward });
  const all = 2 * (5 * 2 * products + 2 * attention) + 3 * head; // dW too; logits again, and their dW
  assertEquals(passFlops(CONFIG, BATCH, "all"), { forward, gradient: forward + all });
});
