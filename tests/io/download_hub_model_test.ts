import { createHash } from "node:crypto";
import { join } from "node:path";
import { downloadHubModel, HubUnreachableError } from "../../lib/io/download_hub_model.ts";
import { writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { recordSource, verifySource } from "../../lib/io/source_record.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "./damage.ts";

const REVISION = "0123456789abcdef0123456789abcdef01234567";

type FakeHub = AsyncDisposable & {
  url: string;
  files: Map<string, Uint8Array<ArrayBuffer>>;
  /** `name start-end` of every content that was asked for. */
  requests: string[];
  /** Breaks the connection after so many bytes of the weights. */
  cutAfter?: number;
  /** What every answer's status is instead. */
  status?: number;
};

/** Answers as the hub's API and file server do. */
async function fakeHub(): Promise<FakeHub> {
  const weights = await Deno.makeTempFile();
  const data = Float32Array.from({ length: 5000 }, (_, i) => i);
  await writeSafetensors(weights, [["model.norm.weight", { shape: [5000], data }]]);
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const files = new Map([
    ["config.json", json({ model_type: "llama" })],
    ["tokenizer.json", json({})],
    ["model.safetensors", await Deno.readFile(weights)],
    ["README.md", json("not wanted")],
  ]);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    if (hub.status) return Response.json({ error: "refused" }, { status: hub.status });
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/models/owner/name/revision/")) {
      return Response.json({ _id: "1", id: "owner/name", sha: REVISION });
    }
    if (pathname === `/api/models/owner/name/tree/${REVISION}`) return Response.json(list(files));
    return serveFile(request, hub);
  });
  const hub: FakeHub = {
    url: `http://127.0.0.1:${server.addr.port}`,
    files,
    requests: [],
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return hub;
}

function list(files: FakeHub["files"]) {
  return [...files].map(([path, bytes]) => {
    const oid = createHash("sha256").update(bytes).digest("hex");
    const lfs = path.endsWith(".safetensors") ? { lfs: { oid, size: bytes.length } } : {};
    return { type: "file", path, size: bytes.length, oid, ...lfs };
  });
}

function serveFile(request: Request, hub: FakeHub): Response {
  const name = new URL(request.url).pathname.replace(`/owner/name/resolve/${REVISION}/`, "");
  const bytes = hub.files.get(name);
  if (!bytes) return new Response(null, { status: 404 });
  const range = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "");
  const [start, end] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, bytes.length];
  if (end - start > 1) hub.requests.push(`${name} ${start}-${end}`);
  const part = bytes.subarray(start, end);
  const isCut = hub.cutAfter !== undefined && name.endsWith(".safetensors") && part.length > 1;
  const body = isCut ? new Blob([part.subarray(0, hub.cutAfter)]).stream() : part;
  const headers = {
    ETag: `"${name}"`,
    "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}`,
  };
  return new Response(body, { status: range ? 206 : 200, headers });
}

const emptyFolder = async () => join(await Deno.makeTempDir(), "name.part");
const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
const MODEL_FILES = ["config.json", "model.safetensors", "tokenizer.json"];

Deno.test("downloadHubModel() fetches what a model needs, and nothing else", async () => {
  await using hub = await fakeHub();
  const folder = await emptyFolder();
  const seen: number[] = [];
  const onProgress = (progress: { doneBytes: number; totalBytes: number }) => {
    seen.push(progress.doneBytes / progress.totalBytes);
  };
  const revision = await downloadHubModel("owner/name", { folder, hubUrl: hub.url, onProgress });
  assertEquals([revision, namesIn(folder)], [REVISION, MODEL_FILES]);
  assertEquals([seen.at(-1), seen.toSorted()], [1, seen]);
  const { tensors } = await openCheckpoint(folder);
  assertEquals((await tensors.read("model.norm.weight"))[4999], 4999);
  tensors.close();
});

Deno.test("downloadHubModel() continues a download that broke off", async () => {
  await using hub = await fakeHub();
  const folder = await emptyFolder();
  hub.cutAfter = 7000;
  const { message } = await userError(downloadHubModel("owner/name", { folder, hubUrl: hub.url }));
  assert(/the connection broke; run the command again to continue/.test(message), message);
  assertEquals((await Deno.stat(join(folder, "model.safetensors.tmp"))).size, 7000);
  hub.cutAfter = undefined;
  hub.requests.length = 0;
  await downloadHubModel("owner/name", { folder, hubUrl: hub.url });
  const size = hub.files.get("model.safetensors")!.length;
  assertEquals(hub.requests, [`model.safetensors 7000-${size}`]);
  assertEquals(
    await Deno.readFile(join(folder, "model.safetensors")),
    hub.files.get("model.safetensors")!,
  );
});

Deno.test("downloadHubModel() refuses a file that isn't what the hub promised", async () => {
  await using hub = await fakeHub();
  const folder = await emptyFolder();
  await Deno.mkdir(folder);
  await Deno.writeFile(join(folder, "model.safetensors.tmp"), new Uint8Array(50).fill(1));
  const { message } = await userError(downloadHubModel("owner/name", { folder, hubUrl: hub.url }));
  assert(/"model\.safetensors" arrived damaged; run the command again/.test(message), message);
  await downloadHubModel("owner/name", { folder, hubUrl: hub.url });
  assertEquals(namesIn(folder), MODEL_FILES);
});

Deno.test("downloadHubModel() says why there is no model", async () => {
  await using hub = await fakeHub();
  const download = async () =>
    await userError(
      downloadHubModel("owner/name", { folder: await emptyFolder(), hubUrl: hub.url }),
    );
  hub.files.delete("model.safetensors");
  const reason = "Cannot use the hub's model owner/name: it has no .safetensors file";
  assertEquals((await download()).message, reason);
  hub.status = 401;
  assert(/the hub has no such model, or it is private.*HF_TOKEN/.test((await download()).message));
  hub.status = 403;
  assert(/its owner wants its terms accepted first/.test((await download()).message));
  hub.status = 503;
  assert(await download() instanceof HubUnreachableError);
});

Deno.test("downloadHubModel() tells a hub that can't be reached from a model that isn't there", async () => {
  const hubUrl = "http://127.0.0.1:9";
  const error = await userError(
    downloadHubModel("owner/name", { folder: await emptyFolder(), hubUrl }),
  );
  assert(error instanceof HubUnreachableError, error.message);
  assert(/^Cannot reach the Hugging Face hub for owner\/name: /.test(error.message), error.message);
});

Deno.test("downloadHubModel() doesn't mix two models in a folder", async () => {
  const folder = await Deno.makeTempDir();
  const state = JSON.stringify({ model: "owner/other", revision: REVISION });
  await Deno.writeTextFile(join(folder, "download_state.json"), state);
  const { message } = await userError(downloadHubModel("owner/name", { folder }));
  const reason = `it holds an unfinished download of "owner/other"`;
  assertEquals(message, `Cannot download owner/name into "${folder}": ${reason}`);
});

Deno.test("verifySource() tells whether a folder is still what recordSource() saw", async () => {
  const folder = await Deno.makeTempDir();
  assertEquals(await verifySource(folder), undefined);
  await Deno.writeTextFile(join(folder, "a"), "abc");
  const record = await recordSource(folder, { model: "m", source: "s" });
  assertEquals(record.files.a.bytes, 3);
  assertEquals(await verifySource(folder), record);
  await Deno.writeTextFile(join(folder, "a"), "abd");
  const { message } = await userError(verifySource(folder));
  assert(/"a" is not the file that was fetched \(3 bytes/.test(message), message);
});

Deno.test("verifySource() refuses a record that proves nothing", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "SOURCE.json");
  const list = "must list each file with its bytes and SHA-256";
  const cases: [files: unknown, reason: string][] = [
    [undefined, `"files" ${list}, found nothing`],
    [{}, `"files" ${list}, found an object`],
    [[], `"files" ${list}, found a list`],
    [{ "a.b": null }, `"files.a.b" must hold the file's bytes and SHA-256, found null`],
    [{ a: { bytes: 3 } }, `"files.a.sha256" must be a text, found nothing`],
    [{ a: { bytes: "3", sha256: "0" } }, `"files.a.bytes" must be a number, found "3"`],
  ];
  for (const [files, reason] of cases) {
    await Deno.writeTextFile(path, JSON.stringify({ model: "m", source: "s", files }));
    assertEquals(
      (await userError(verifySource(folder))).message,
      `Cannot use "${path}": ${reason}`,
    );
  }
  await Deno.writeTextFile(path, `{"source": "s", "files": {"a": {"bytes": 1, "sha256": "0"}}}`);
  const { message } = await userError(verifySource(folder));
  assertEquals(message, `Cannot use "${path}": "model" must be a text, found nothing`);
});
