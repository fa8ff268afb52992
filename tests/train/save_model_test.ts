import { useBackend } from "../../lib/backend/use_backend.ts";
import { assertEquals } from "../../lib/std.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

Deno.test("saveAdapter() keeps every token that ends a text", async () => {
  using models = await tinyModels();
  const saved = async (tokenizer: Partial<typeof models.tokenizer>) => {
    const folder = await Deno.makeTempDir();
    await saveAdapter({ ...models, tokenizer: { ...models.tokenizer, ...tokenizer } }, folder);
    const path = `${folder}/generation_config.json`;
    return await Deno.readTextFile(path).then(JSON.parse, () => null);
  };
  const files = { "tokenizer_config.json": '{"eos_token": "</s>"}' };
  assertEquals(await saved({}), { eos_token_id: 2 });
  assertEquals(await saved({ files }), null, "tokenizer_config.json says it all");
  assertEquals(await saved({ files, eosIds: [2, 7] }), { eos_token_id: [2, 7] });
});
