import { join, resolve } from "node:path";
import { writeFileAtomic } from "../../lib/io/write_atomic.ts";
import { findPython } from "../../lib/setup/find_python.ts";
import { runCommand } from "../../lib/setup/run_command.ts";

const FOLDER = ".jupyter", REQUIREMENTS = "notebooks/requirements.txt";
const PYTHON = join(FOLDER, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
/** A copy of what was installed; another one means that something is to be installed. */
const INSTALLED = join(FOLDER, "requirements.txt");

/** Where Jupyter keeps what it otherwise keeps in the user's home. */
export const JUPYTER_FOLDERS: Record<string, string> = Object.fromEntries(
  ["CONFIG", "DATA", "RUNTIME"].map((kind) => [
    `JUPYTER_${kind}_DIR`,
    resolve(FOLDER, "home", kind.toLowerCase()),
  ]),
);

/**
 * Installs JupyterLab and Deno's kernel into a folder of the project, so that the user's own Jupyter
 * and home stay as they are; what is installed already is kept.
 *
 * @returns the folder's Python.
 * @throws {UserError} when Python is missing, or pip fails.
 */
export async function setUpJupyter({ note }: { note: (line: string) => void }): Promise<string> {
  const purpose = "set up Jupyter", wanted = await Deno.readTextFile(REQUIREMENTS);
  if (await Deno.readTextFile(INSTALLED).catch(() => "") !== wanted) {
    note(`Installing JupyterLab into ${FOLDER}, once: 320 MB on disk`);
    await runCommand(await findPython(purpose), { args: ["-m", "venv", FOLDER], purpose });
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
    await runCommand(PYTHON, { args: [...pip, "-r", REQUIREMENTS], purpose });
    await writeFileAtomic(INSTALLED, wanted);
  }
  await writeKernel();
  return PYTHON;
}

/** Written each time, for the Deno that runs now may be another one. */
async function writeKernel(): Promise<void> {
  const folder = join(FOLDER, "share/jupyter/kernels/deno");
  const kernel = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  await Deno.mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, "kernel.json"), JSON.stringify(kernel, null, 2));
}
