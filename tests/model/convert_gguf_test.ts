import { join } from "node:path";
import { convertGguf } from "../../lib/model/convert_gguf.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { assertEquals } from "../../lib/std.ts";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import { assertSameBits, golden, goldenPath, readAll } from "../io/golden_files.ts";

Deno.test("convertGguf() writes a Hugging Face folder of the same model", async () => {
  const [folder, path] = [await Deno.makeTempDir(), goldenPath("llama.gguf")];
  const shares: number[] = [];
  const onProgress = (progress: { doneBytes: number; totalBytes: number }) => {
    shares.push(progress.doneBytes / progress.totalBytes);
  };
  await convertGguf(path, { folder, onProgress });
  assertEquals([shares.at(-1), shares.toSorted()], [1, shares]);
  const [before, after] = [await openCheckpoint(path), await openCheckpoint(folder)];
  assertEquals(after.format, "safetensors");
  assertEquals(after.config, before.config);
  assertEquals(after.tensors.names(), before.tensors.names());
  for (const [name, wanted] of Object.entries(golden.llama)) {
    assertSameBits(await readAll(after.tensors, name), wanted, name);
  }
  before.tensors.close();
  after.tensors.close();
  const generation = JSON.parse(await Deno.readTextFile(join(folder, "generation_config.json")));
  assertEquals(generation, { bos_token_id: 1, eos_token_id: 2 });
  assertEquals((await loadTokenizer(folder)).encode("cab"), [5, 3, 4]);
});
