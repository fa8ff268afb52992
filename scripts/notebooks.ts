import { executeNotebook, listNotebooks } from "./cli/notebook_files.ts";
import { runScript } from "./cli/run_script.ts";
import { JUPYTER_FOLDERS, setUpJupyter } from "./cli/set_up_jupyter.ts";

const FOLDER = "notebooks", TESTS = "tests/notebook";
/** The longest that one cell may take, in seconds. */
const CELL_SECONDS = 900;

await runScript({
  name: "notebooks",
  summary:
    "Opens the notebooks in JupyterLab with Deno's kernel. The first time it installs both " +
    "into .jupyter, which git ignores.",
  examples: ["", "--no_browser", "--execute 03_the_dpo_loss_in_numbers", "--test"],
  flags: {
    no_browser: { type: "boolean", help: "Prints the address and opens no browser" },
    jupyter_args: {
      type: "list",
      value: "ARG,ARG",
      help: "More for JupyterLab itself, as in --jupyter_args=--port=9999,--allow-root",
    },
    execute: {
      type: "string",
      value: "NAME,NAME",
      bare: "all",
      help:
        "Runs these notebooks (all without a value) from a fresh kernel and saves what they show",
    },
    test: {
      type: "boolean",
      help: "Runs all notebooks from fresh kernels, tests of the kernel too, and saves nothing",
    },
    junit_path: { type: "string", value: "FILE", help: "Where --test writes a JUnit report" },
  },
  async main({ execute, test, ...flags }, { note, print, signal }) {
    const python = await setUpJupyter({ note });
    const run = async (args: string[]) => {
      const options = { args: ["-m", ...args], env: JUPYTER_FOLDERS, signal };
      return (await new Deno.Command(python, options).spawn().status).code;
    };
    if (test) return await run(testArgs(flags.junit_path));
    if (!execute) return await run(labArgs(flags));
    for (const path of await listNotebooks(FOLDER, execute.split(","))) {
      const exitCode = await executeNotebook(path, (copy) => run(executeArgs(copy)));
      if (exitCode !== 0) return exitCode;
      print(`${path} ran and was saved`);
    }
  },
});

type LabFlags = { no_browser: boolean; jupyter_args?: string[] };

function labArgs({ no_browser, jupyter_args = [] }: LabFlags): string[] {
  return ["jupyterlab", ...(no_browser ? ["--no-browser"] : []), ...jupyter_args, FOLDER];
}

function executeArgs(path: string): string[] {
  const options = { record_timing: "False", timeout: CELL_SECONDS, kernel_name: "deno" };
  const traits = Object.entries(options).map(([name, value]) =>
    `--ExecutePreprocessor.${name}=${value}`
  );
  return ["nbconvert", "--to=notebook", "--execute", "--inplace", ...traits, path];
}

function testArgs(junitPath: string | undefined): string[] {
  const report = junitPath === undefined ? [] : [`--junit-xml=${junitPath}`];
  const options = ["-q", "-p", "no:cacheprovider"];
  return ["pytest", ...options, ...report, TESTS];
}
