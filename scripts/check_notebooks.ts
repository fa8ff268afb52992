/**
 * Checks types and format of the code cells of all notebooks: Deno's kernel never looks at types, and
 * `deno fmt --check` finds fault with every notebook (2.9.6).
 */
import { join } from "node:path";
import { UserError } from "../lib/errors.ts";
import { runScript } from "./cli/run_script.ts";

type Cell = { cell_type: string; source: string | string[] };

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

await runScript({
  name: "check_notebooks",
  summary: "checks types and format of the notebooks' code cells",
  examples: [""],
  flags: { folder: { type: "string", help: "Where the notebooks are", default: "notebooks" } },
  async main({ folder }, io) {
    const names = (await namesIn(folder)).filter((name) => name.endsWith(".ipynb")).sort();
    const extracts = names.map((name) => join(folder, `${name.slice(0, -6)}.cells.ts`));
    try {
      for (const [i, name] of names.entries()) {
        await Deno.writeTextFile(
          extracts[i],
          extractCode(await Deno.readTextFile(join(folder, name)), name),
        );
      }
      const hasFailed = names.length > 0 && !(await checkAll(extracts, io.note));
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

/** The code cells as one module, each under a comment with its number. */
function extractCode(notebook: string, name: string): string {
  const cells = parseCells(notebook, name);
  const code = cells.flatMap(({ cell_type, source }, i) =>
    cell_type === "code" ? [`// ${name}, cell ${i + 1}\n${[source].flat().join("")}`] : []
  );
  return `${code.join("\n\n")}\nexport {};\n`;
}

function parseCells(notebook: string, name: string): Cell[] {
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
