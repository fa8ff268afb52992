import {
  downloadFile,
  HubApiError,
  type ListFileEntry,
  listFiles,
  modelInfo,
} from "@huggingface/hub";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { fileError } from "./file_error.ts";
import { readJsonObject } from "./read_json.ts";
import { sha256File } from "./sha256_file.ts";
import { writeFileAtomic } from "./write_atomic.ts";

export type DownloadHubModelOptions = {
  /** Where the files go. What an earlier try left there is continued, never fetched twice. */
  folder: string;
  /** A hub token, for models that ask for one. */
  accessToken?: string;
  hubUrl?: string;
  /** Called after every piece. */
  onProgress?: (progress: { file: string; doneBytes: number; totalBytes: number }) => void;
};

/** The hub can't be reached at all; whoever knows another source may turn to it. */
export class HubUnreachableError extends UserError {
  override name = "HubUnreachableError";
}

const WANTED = [
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens)\.json$/,
  /^chat_template\.jinja$/,
  /^model(-\d+-of-\d+)?\.safetensors$/,
  /^model\.safetensors\.index\.json$/,
];
/** Remembers which revision a folder is being filled with. */
const STATE = "download_state.json";

type HubFile = { name: string; bytes: number; sha256?: string };
type Repository = { repo: string; revision: string; accessToken?: string; hubUrl?: string };

/**
 * Downloads a model's config, tokenizer and safetensors from the Hugging Face hub, all of one
 * revision. A download that was cut off is continued where it stopped.
 *
 * @param model The hub's id, `owner/name`.
 * @returns The revision (a commit) that was fetched.
 * @throws {HubUnreachableError} Where the hub doesn't answer.
 * @throws {UserError} Where the hub has no such model, wants a token, the model has no safetensors,
 * a file is not what the hub promised, or the disk can't take it.
 */
export async function downloadHubModel(
  model: string,
  { folder, accessToken, hubUrl, onProgress }: DownloadHubModelOptions,
): Promise<string> {
  let revision: string | undefined;
  try {
    revision = await chooseRevision(model, { folder, accessToken, hubUrl });
    const source = { repo: model, revision, accessToken, hubUrl };
    const files = await listModel(source);
    const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let finishedBytes = 0;
    for (const file of files) {
      const report = (bytes: number) =>
        onProgress?.({ file: file.name, doneBytes: finishedBytes + bytes, totalBytes });
      await fetchFile(file, { source, folder, report });
      finishedBytes += file.bytes;
    }
    await Deno.remove(join(folder, STATE));
    return revision;
  } catch (error) {
    throw hubError(error, { model, folder, started: revision !== undefined });
  }
}

async function chooseRevision(
  model: string,
  { folder, accessToken, hubUrl }: { folder: string; accessToken?: string; hubUrl?: string },
): Promise<string> {
  const path = join(folder, STATE);
  if (await Deno.stat(path).then(() => true, () => false)) {
    const state = await readJsonObject(path);
    if (state.model === model && typeof state.revision === "string") return state.revision;
    const found = `it holds an unfinished download of ${JSON.stringify(state.model)}`;
    throw new UserError(`Cannot download ${model} into "${folder}": ${found}`, { path: folder });
  }
  const { sha } = await modelInfo({ name: model, additionalFields: ["sha"], accessToken, hubUrl });
  const state = JSON.stringify({ model, revision: sha }, null, 2) + "\n";
  await writeFileAtomic(path, state);
  return sha;
}

async function listModel(source: Repository): Promise<HubFile[]> {
  const files: ListFileEntry[] = [];
  for await (const entry of listFiles(source)) {
    const wanted = entry.type === "file" && WANTED.some((pattern) => pattern.test(entry.path));
    if (wanted) files.push(entry);
  }
  const has = (end: string) => files.some(({ path }) => path.endsWith(end));
  for (const end of ["config.json", "tokenizer.json", ".safetensors"]) {
    if (has(end)) continue;
    const reason = `it has no ${end.startsWith(".") ? `${end} file` : end}`;
    throw new UserError(`Cannot use the hub's model ${source.repo}: ${reason}`);
  }
  return files.map(({ path, size, lfs }) => ({ name: path, bytes: size, sha256: lfs?.oid }));
}

async function fetchFile(
  file: HubFile,
  { source, folder, report }: {
    source: Repository;
    folder: string;
    report: (bytes: number) => void;
  },
): Promise<void> {
  const path = join(folder, file.name);
  const size = (name: string) => Deno.stat(name).then((info) => info.size, () => -1);
  if (await size(path) === file.bytes) return report(file.bytes);
  const partial = `${path}.tmp`;
  // Without a hash a continued file could not be told from a wrong one: begin again.
  const start = file.sha256 ? Math.max(0, await size(partial)) : 0;
  if (start < file.bytes || start === 0) await appendRest(file, { source, partial, start, report });
  const arrivedBytes = await size(partial);
  if (arrivedBytes < file.bytes) {
    const reason = "the connection broke; run the command again to continue";
    throw new UserError(`Cannot download ${source.repo}: ${reason}`, { path });
  }
  const isWhole = !file.sha256 || await sha256File(partial) === file.sha256;
  if (arrivedBytes !== file.bytes || !isWhole) {
    await Deno.remove(partial);
    const reason = `"${file.name}" arrived damaged; run the command again`;
    throw new UserError(`Cannot download ${source.repo}: ${reason}`, { path });
  }
  await Deno.rename(partial, path);
}

async function appendRest(
  file: HubFile,
  { source, partial, start, report }: {
    source: Repository;
    partial: string;
    start: number;
    report: (bytes: number) => void;
  },
): Promise<void> {
  const blob = await downloadFile({ ...source, path: file.name, xet: false });
  if (!blob) throw new UserError(`Cannot download ${source.repo}: it has no "${file.name}"`);
  using target = await Deno.open(partial, { write: true, create: true, truncate: start === 0 });
  await target.seek(start, Deno.SeekMode.Start);
  let done = start;
  for await (const piece of blob.slice(start).stream()) {
    for (let at = 0; at < piece.length;) at += await target.write(piece.subarray(at));
    done += piece.length;
    report(done);
  }
  await target.sync();
}

function hubError(
  error: unknown,
  { model, folder, started }: { model: string; folder: string; started: boolean },
): unknown {
  if (error instanceof UserError) return error;
  const fail = (reason: string) =>
    new UserError(`Cannot download ${model}: ${reason}`, { path: folder, cause: error });
  if (error instanceof HubApiError && error.statusCode < 500) {
    return fail(statusReasons[error.statusCode] ?? error.message);
  }
  if (error instanceof Deno.errors.NotCapable) return fail(error.message);
  const { code = "", message = String(error), cause } = error as Partial<Error> & { code?: string };
  if (DISK_CODES.includes(code)) return fileError(error, { action: "write", path: folder });
  const why = (cause instanceof Error ? cause.message : message).replace(/ for url \(.*?\)/, "");
  if (started) return fail(`the connection broke (${why}); run the command again to continue`);
  const reason = /dns|lookup|resolve/i.test(why) ? "its name was not found" : why;
  return new HubUnreachableError(`Cannot reach the Hugging Face hub for ${model}: ${reason}`, {
    cause: error,
  });
}

const DISK_CODES = ["EACCES", "EDQUOT", "EISDIR", "ENOSPC", "ENOTDIR", "EPERM", "EROFS"];
const statusReasons: Record<number, string> = {
  401: "the hub has no such model, or it is private: check the id, or set HF_TOKEN",
  403: "its owner wants its terms accepted first: accept them on its page and set HF_TOKEN",
  404: "the hub has no such model, or it is private: check the id, or set HF_TOKEN",
};
