/** Bad input for the scripts that take no data of the user's, each under its own permission set. */
import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url);
const table = "--val_table=README.md";

/** What is typed, how the last line of stderr begins, and the exit code. */
const cases: Record<string, [args: string[], says: string, code: 1 | 2][]> = {
  setup: [
    [["--folder"], "Unknown flag --folder; --help lists the flags there are", 2],
    [["now"], 'Cannot place "now": a value follows its flag, as in --name value', 2],
    [["--debug=yes"], '--debug must be true or false, found "yes"', 2],
  ],
  doctor: [
    [["--jsn"], "Unknown flag --jsn; did you mean ", 2],
    [["all"], 'Cannot place "all"', 2],
    [["--debug=1"], '--debug must be true or false, found "1"', 2],
  ],
  notebooks: [
    [["--no_browsr"], "Unknown flag --no_browsr; did you mean --no_browser?", 2],
    [["--port", "1"], "Unknown flag --port; ", 2],
    [["--junit_path"], "--junit_path needs a value: text", 2],
  ],
  demo: [
    [["--backend", "cuda"], "--backend must be one of auto, tensorflow, webgpu, wasm, cpu", 2],
    [["--output_dir"], "--output_dir needs a value: text", 2],
    [["--output_dri=x"], "Unknown flag --output_dri; did you mean --output_dir?", 2],
  ],
  make_embedded_data: [
    [["--seed=1"], "Unknown flag --seed; --help lists the flags there are", 2],
    [["phase2_data"], 'Cannot place "phase2_data"', 2],
    [["--debug=0"], '--debug must be true or false, found "0"', 2],
  ],
  real_run: [
    [[table], "--train_table is missing: CSV, JSONL or Parquet", 2],
    [[table, "--train_table=no.csv"], 'Cannot read "no.csv": there is no such file or folder', 1],
    [[table, "--train_table=lib"], 'Cannot read "lib": it is a folder, wanted a file', 1],
    [[table, "--train_table=a", "--num=0"], "--num must be a whole number of at least 1", 2],
  ],
};

for (const [name, list] of Object.entries(cases)) {
  Deno.test(`${name} ends bad input in one sentence`, async () => {
    for (const [args, says, code] of list) {
      const command = ["run", "-q", "--no-prompt", `-P=${name}`, `scripts/${name}.ts`, ...args];
      const ended = await new Deno.Command("deno", { args: command, cwd: root }).output();
      const told = new TextDecoder().decode(ended.stderr);
      assertEquals([ended.code, ended.stdout.length], [code, 0], `${args}: ${told}`);
      assert(told.startsWith(says) && told.trimEnd().split("\n").length === 1, told);
    }
  });
}
