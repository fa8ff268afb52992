import { join } from "node:path";
import { loadNativeLibrary, NativeLibraryError } from "../../lib/backend/native_library.ts";
import { assert, assertEquals } from "../../lib/std.ts";

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
