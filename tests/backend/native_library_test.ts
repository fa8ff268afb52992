import { join } from "node:path";
import { FUSED_LIBRARY } from "../../lib/backend/fused_library.ts";
import {
  loadNativeLibrary,
  nativeFolder,
  NativeLibraryError,
} from "../../lib/backend/native_library.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { presentBackends } from "./backends.ts";

async function errorIn(folder: string): Promise<NativeLibraryError> {
  const error = await loadNativeLibrary(folder).catch((error) => error);
  assert(error instanceof NativeLibraryError, Deno.inspect(error));
  return error;
}

Deno.test("loadNativeLibrary() says that TensorFlow is not set up in an empty folder", async () => {
  const folder = await Deno.makeTempDir();
  assertEquals((await errorIn(folder)).message, "TensorFlow is not set up");
  await Deno.remove(folder);
});

Deno.test("loadNativeLibrary() says why a damaged binding does not load", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "tfjs_binding.node"), "not a library");
  const { message } = await errorIn(folder);
  assert(message.startsWith("TensorFlow does not load: "), message);
  assert(!message.includes("\n"), message);
  await Deno.remove(folder, { recursive: true });
});

Deno.test({
  name: "loadNativeLibrary() does without fused kernels that do not load; they keep loading small",
  ignore: !(await presentBackends()).includes("tensorflow"),
  async fn() {
    const folder = await Deno.makeTempDir();
    await Deno.symlink(join(nativeFolder, "tfjs_binding.node"), join(folder, "tfjs_binding.node"));
    await Deno.writeTextFile(join(folder, FUSED_LIBRARY), "not a library");
    const [without, own] = await Promise.all([folder, nativeFolder].map(loadElsewhere));
    assertEquals(without.isFused, false);
    if (own.isFused && Deno.build.os === "linux") {
      assert(own.rss < without.rss - 100e6, `${own.rss} and ${without.rss} bytes`);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

/** Loads in a process of its own: in this one it may be loaded already. */
async function loadElsewhere(folder: string): Promise<{ isFused: boolean; rss: number }> {
  const script = `
    import { fusedKernelsAreRegistered, loadNativeLibrary } from ${
    JSON.stringify(new URL("../../lib/backend/native_library.ts", import.meta.url))
  };
    await loadNativeLibrary(${JSON.stringify(folder)});
    const { rss } = Deno.memoryUsage();
    console.log(JSON.stringify({ isFused: fusedKernelsAreRegistered(), rss }));`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", script],
    cwd: new URL("../..", import.meta.url),
  });
  const { code, stdout, stderr } = await command.output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
