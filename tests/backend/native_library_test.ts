import { join } from "node:path";
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
  name: "loadNativeLibrary() does without fused kernels that do not load",
  ignore: !(await presentBackends()).includes("tensorflow"),
  async fn() {
    const folder = await Deno.makeTempDir();
    await Deno.symlink(join(nativeFolder, "tfjs_binding.node"), join(folder, "tfjs_binding.node"));
    await Deno.writeTextFile(join(folder, "libfused.so"), "not a library");
    const script = `
      import { fusedKernelsAreRegistered, loadNativeLibrary } from ${
      JSON.stringify(new URL("../../lib/backend/native_library.ts", import.meta.url))
    };
      await loadNativeLibrary(${JSON.stringify(folder)});
      console.log(fusedKernelsAreRegistered());`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", script], // a process of its own: here they may be loaded already
      cwd: new URL("../..", import.meta.url),
    });
    const { code, stdout, stderr } = await command.output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([code, decode(stdout)], [0, "false\n"], decode(stderr));
    await Deno.remove(folder, { recursive: true });
  },
});
