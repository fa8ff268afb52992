/**
 * Checks types and format of the code cells of all notebooks, and what notebooks/README.md asks of
 * them: Deno's kernel never looks at types, and `deno fmt --check` finds fault with every notebook
 * (2.9.6).
 */
import { join } from "node:path";
import { UserError } from "../lib/errors.ts";
import { type NotebookCell, notebookFaults, solutionsOf, sourceOf } from "./cli/notebook_faults.ts";
import { runScript } from "./cli/run_script.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

await runScript({
  name: "check_notebooks",
  summary: "checks types and format of the notebooks' code cells",
  examples: [""],
  flags: { folder: { type: "string", help: "Where the notebooks are", default: "notebooks" } },
  async main({ folder }, io) {
    const names = (await namesIn(folder)).filter((name) => name.endsWith(".ipynb")).sort();
    const extracts: string[] = [];
    let hasFailed = false;
    try {
      for (const name of names) {
        const cells = parseCells(await Deno.readTextFile(join(folder, name)), name);
        for (const fault of notebookFaults(cells)) {
          hasFailed = true;
          io.note(`${name}: ${fault}`);
        }
        const path = join(folder, `${name.slice(0, -6)}.cells.ts`);
        extracts.push(path);
        await Deno.writeTextFile(path, extractCode(cells, name));
      }
      if (names.length > 0 && !(await checkAll(extracts, io.note))) hasFailed = true;
      io.print(`${names.length} notebooks checked`);
      return hasFailed ? 1 : 0;
    } finally {
      for (const path of extracts) await Deno.remove(path).catch(() => {});
    }
  },
});

/** What a folder holds; one that is not there holds nothing. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The code cells as one module, each under a comment with its number, then the solutions. */
function extractCode(cells: NotebookCell[], name: string): string {
  const code = cells.flatMap((cell, i) =>
    cell.cell_type === "code" ? [`// ${name}, cell ${i + 1}\n${sourceOf(cell)}`] : []
  );
  const solutions = solutionsOf(cells).map((code, i) =>
    `// ${name}, solution ${i + 1}\n${code.trimEnd()}`
  );
  return `${[...code, ...solutions].join("\n\n")}\nexport {};\n`;
}

function parseCells(notebook: string, name: string): NotebookCell[] {
  try {
    return JSON.parse(notebook).cells;
  } catch (error) {
    throw new UserError(`Cannot parse notebook "${name}": ${error}`, { path: name, cause: error });
  }
}

async function checkAll(paths: string[], note: (text: string) => void): Promise<boolean> {
  for (const args of [["check", "-q"], ["fmt", "--check"]]) {
    const command = new Deno.Command("deno", { args: [...args, ...paths] });
    const { success, stdout, stderr } = await command.output();
    if (success) continue;
    for (const output of [stdout, stderr]) note(decode(output));
    return false;
  }
  return true;
}
