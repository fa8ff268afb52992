import { basename, dirname, join } from "node:path";
import { UserError } from "../../lib/errors.ts";
import { writeFileAtomic } from "../../lib/io/write_atomic.ts";

type Cell = {
  cell_type: string;
  id: string;
  metadata: Record<string, unknown>;
  source: string | string[];
  outputs?: Output[];
  execution_count?: number | null;
};
type Output = { output_type: string; name?: string; text?: string[] };
type Notebook = { cells: Cell[]; metadata: Record<string, unknown> };

const METADATA = {
  kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
  language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
};

/**
 * The paths of notebooks by name, with or without their ending; "all" names all.
 *
 * @throws {UserError} when one is not there.
 */
export async function listNotebooks(folder: string, names: string[]): Promise<string[]> {
  const found = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const known = found.filter((name) => /^(?!running_).*\.ipynb$/.test(name)).sort();
  if (names.includes("all")) return known.map((name) => join(folder, name));
  return names.map((typed) => {
    const name = known.find((name) => name === typed || name === `${typed}.ipynb`);
    if (name) return join(folder, name);
    const choices = known.map((name) => name.slice(0, -6)).join(", ");
    throw new UserError(`Cannot run notebook "${typed}": wanted one of ${choices}, or all`, {
      path: typed,
    });
  });
}

/**
 * Lets `run` execute a copy of a notebook, and takes the outputs over where it returns 0.
 *
 * Deno's kernel may call a cell done before its last lines are out, and nbclient drops what comes
 * after that; so each cell of the copy that prints or awaits waits a little at its end.
 *
 * @returns what `run` returned.
 * @throws {UserError} when an output tells where the project lies on this machine.
 */
export async function executeNotebook(
  path: string,
  run: (copy: string) => Promise<number>,
): Promise<number> {
  const notebook = await readNotebook(path);
  const copy = join(dirname(path), `running_${basename(path)}`);
  const wait = "\nawait new Promise((resolve) => setTimeout(resolve, 100));";
  const cells = notebook.cells.map((cell) => {
    const source = [cell.source].flat().join("");
    return cell.cell_type === "code" && /console\.|await /.test(source)
      ? { ...cell, source: source + wait }
      : cell;
  });
  try {
    await writeFileAtomic(copy, JSON.stringify({ ...notebook, cells }));
    const exitCode = await run(copy);
    if (exitCode === 0) await takeOutputs(path, notebook, await readNotebook(copy));
    return exitCode;
  } finally {
    await Deno.remove(copy);
  }
}

async function readNotebook(path: string): Promise<Notebook> {
  return JSON.parse(await Deno.readTextFile(path));
}

/** Writes a notebook with the outputs of its copy, and nothing that belongs to this machine. */
async function takeOutputs(path: string, notebook: Notebook, copy: Notebook): Promise<void> {
  notebook.metadata = METADATA;
  notebook.cells.forEach((cell, i) => {
    const { tags } = cell.metadata, { outputs, execution_count } = copy.cells[i];
    cell.id = `cell-${i + 1}`;
    cell.metadata = tags === undefined ? {} : { tags };
    if (outputs) Object.assign(cell, { outputs: joinStreams(outputs), execution_count });
    if (!JSON.stringify(outputs ?? []).includes(Deno.cwd())) return;
    throw new UserError(
      `Cannot keep "${path}": the output of its cell ${i + 1} holds a path of this machine`,
      { path },
    );
  });
  await writeFileAtomic(path, `${JSON.stringify(notebook, null, 1)}\n`);
}

/** What the kernel printed line by line, as one output. */
function joinStreams(outputs: Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    const isSame = output.output_type === "stream" && last?.output_type === "stream" &&
      last.name === output.name;
    if (isSame) last.text = [...last.text ?? [], ...output.text ?? []];
    else joined.push(output);
  }
  return joined;
}
