import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { generate } from "../../lib/evaluate/generate.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";
import { shake, tinyModels } from "../train/tiny_models.ts";

await useBackend({ backend: "cpu" });

/** The tiny models' tokenizer reads numbers. */
const PROMPTS = ["1 5 6 7", "1 20", "1 3 4 15 16 17", "1 9 9"];

Deno.test("generate() gives texts in the order of the prompts, whatever shares a batch", async () => {
  using models = await tinyModels();
  const before = tf.memory().numTensors, told: number[] = [];
  const options = { maxNewTokens: 6, temperature: 0.8, seed: 3 };
  const onProgress = (done: number) => told.push(done);
  const together = await generate(models, PROMPTS, { ...options, batchSize: 3, onProgress });
  assertEquals(together, await generate(models, PROMPTS, { ...options, batchSize: 1 }));
  assertEquals(told, [3, 4]);
  for (const { text, tokens, stopped } of together) {
    assertEquals(text === "" ? 0 : text.split(" ").length, tokens);
    assert(tokens === 6 || stopped);
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("generate() lets the policy write, or the reference", async () => {
  using models = await tinyModels();
  const write = (adapter: boolean) => generate(models, PROMPTS, { maxNewTokens: 8, adapter });
  const reference = await write(false);
  assertEquals(await write(true), reference);
  shake(models, 1, 1);
  assertEquals(await write(false), reference);
  assert(JSON.stringify(await write(true)) !== JSON.stringify(reference));
});

Deno.test("generate() stops at every token that ends a text", async () => {
  using tiny = await tinyModels();
  const write = (eosIds: number[]) =>
    generate({ ...tiny, tokenizer: { ...tiny.tokenizer, eosIds } }, ["1 5 6 7"]);
  const [{ text, stopped }] = await write([]);
  assert(!stopped);
  const [first, second] = [...new Set(text.split(" ").map(Number))];
  assertEquals(await write([first]), [{ text: "", tokens: 0, stopped: true }]);
  assertEquals((await write([second, first]))[0].stopped, true);
  assertEquals(await write([second, first]), await write([first, second]));
});

Deno.test("generate() warns of prompts that may lead beyond the model's positions", async () => {
  using models = await tinyModels({ config: { maxPositions: 12 } });
  const messages: string[] = [];
  const onWarning = ({ message }: { message: string }) => messages.push(message);
  await generate(models, PROMPTS, { maxNewTokens: 6, onWarning });
  assertEquals(messages, []);
  await generate(models, PROMPTS, { maxNewTokens: 9, onWarning });
  assertEquals(messages, [
    "2 of 4 prompts may lead beyond the 12 tokens that this model was made for (the longest to " +
    "15): what it writes there is a guess. Shorten them, or lower --max_new_tokens.",
  ]);
});

Deno.test("generate() names a prompt that is empty, and ends when it is told to", async () => {
  using tiny = await tinyModels();
  const tokenizer = { ...tiny.tokenizer, encode: (text: string) => text === "" ? [] : [1] };
  const models = { ...tiny, tokenizer };
  const before = tf.memory().numTensors;
  const { message } = await userError(generate(models, ["a", ""], {}));
  assertEquals(message, "Cannot continue prompt 2: it is empty");
  const stopped = generate(models, ["a"], { signal: AbortSignal.abort(new Error("enough")) });
  assertEquals(await stopped.then(() => "", (error) => error.message), "enough");
  assertEquals(tf.memory().numTensors, before);
});
