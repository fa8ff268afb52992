import { join } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { remainingSteps, runSteps } from "../../lib/setup/run_steps.ts";
import { vendorBinaryFor, vendorWay } from "../../lib/setup/vendor_way.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const machine = { os: "linux", arch: "x86_64", nvidia: false } as const;

Deno.test("vendorBinaryFor() fits x86-64 without an NVIDIA driver", () => {
  const names = Object.values(vendorBinaryFor(machine)!).map((url) => url.split("/").at(-1));
  assertEquals(names, [
    "libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz",
    "CPU-linux-4.22.0.tar.gz",
  ]);
  assert(vendorBinaryFor({ ...machine, os: "windows" })?.libraryUrl.endsWith(".zip"));
  assertEquals(vendorBinaryFor({ ...machine, nvidia: true }), null);
  assertEquals(vendorBinaryFor({ ...machine, os: "darwin", arch: "aarch64" }), null);
});

/** An archive of one small file, as `tar` makes it. */
async function archiveOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(join(folder, path, ".."), { recursive: true });
  await Deno.writeTextFile(join(folder, path), path);
  const args = ["-czf", "-", "-C", folder, path.split("/")[0]];
  const { stdout } = await new Deno.Command("tar", { args }).output();
  await Deno.remove(folder, { recursive: true });
  return stdout;
}

/** A server that has these files, and the vendor's way from it into a folder of its own. */
async function serve(files: Record<string, Uint8Array<ArrayBuffer>>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const body = files[url.split("/").at(-1)!];
    return new Response(body, { status: body ? 200 : 404 });
  });
  const folder = await Deno.makeTempDir();
  const { port } = server.addr as Deno.NetAddr;
  const way = vendorWay(machine, folder, `http://127.0.0.1:${port}`);
  const end = async () => {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  };
  return { way, folder, end };
}

Deno.test("vendorWay() lays the archives out as the package's installer would", async () => {
  const library = await archiveOf("lib/libtensorflow.so.2");
  const binding = await archiveOf("napi-v8/tfjs_binding.node");
  const { way, folder, end } = await serve({
    "libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz": library,
    "CPU-linux-4.22.0.tar.gz": binding,
  });
  const { downloadBytes } = await way.plan([]);
  assertEquals(downloadBytes, library.length + binding.length);
  const readings: number[] = [];
  const report = {
    line() {},
    progress: ({ doneBytes }: { doneBytes: number }) => readings.push(doneBytes),
  };
  await runSteps(way.steps, { folder, report });
  assertEquals(readings.at(-1), downloadBytes);
  for (const path of ["deps/lib/libtensorflow.so.2", "lib/napi-v8/tfjs_binding.node"]) {
    assert((await Deno.stat(join(folder, "vendor", path))).isFile);
  }
  assertEquals(await remainingSteps(way.steps, folder), []);
  await end();
});

Deno.test("vendorWay() says so when the server lacks a file or can't be reached", async () => {
  const { way, end } = await serve({});
  const missing = await way.plan([]).catch((error) => error);
  assert(missing instanceof UserError);
  assertEquals(missing.message, "its server answers 404");
  await end();
  const unreachable = await way.plan([]).catch((error) => error);
  assertEquals(unreachable.message, "its server can't be reached");
});
