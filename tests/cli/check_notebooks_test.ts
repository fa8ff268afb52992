import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url);

async function check(cells: string[]) {
  await Deno.mkdir(new URL("notebooks", root), { recursive: true });
  const folder = await Deno.makeTempDir({
    dir: new URL("notebooks", root).pathname,
    prefix: "check_",
  });
  const notebook = {
    cells: [{ cell_type: "markdown", source: "# not code" }].concat(
      cells.map((source) => ({ cell_type: "code", source, outputs: [{ output_type: "stream" }] })),
    ),
  };
  await Deno.writeTextFile(`${folder}/01_a.ipynb`, JSON.stringify(notebook));
  const args = ["run", "-q", "--no-prompt", "-P=check_notebooks", "scripts/check_notebooks.ts"];
  const command = new Deno.Command("deno", { args: [...args, "--folder", folder], cwd: root });
  const { code, stderr } = await command.output();
  const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  await Deno.remove(folder, { recursive: true });
  assertEquals(left, ["01_a.ipynb"]);
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("check_notebooks accepts cells that share names and wait at the top level", async () => {
  const cells = [
    'import { logSigmoid } from "../../mod.ts";\nconst a = await Promise.resolve(0);',
    "logSigmoid(a) as number;",
    "await Deno.jupyter.display({}, { raw: true });",
  ];
  assertEquals(await check(cells), { code: 0, stderr: "" });
});

Deno.test("check_notebooks shows a type error with the cell's code, and leaves no file behind", async () => {
  const { code, stderr } = await check(["const a = 1;", "const b: string = a;"]);
  assertEquals(code, 1);
  assert(stderr.includes("Type 'number' is not assignable to type 'string'"), stderr);
});

Deno.test("check_notebooks shows where a cell is not formatted", async () => {
  const { code, stderr } = await check(["const a = 1;", "a  +  a;"]);
  assertEquals(code, 1);
  assert(stderr.includes("01_a.cells.ts") && stderr.includes("a + a;"), stderr);
});

Deno.test("check_notebooks checks solutions' types, and names what breaks a notebook's rules", async () => {
  const solved = "const a = 1;\na.toFixed();\n/*\n```typescript\nconst b: string = a;\n```\n*/";
  const wrongType = await check([solved]);
  assertEquals(wrongType.code, 1);
  assert(wrongType.stderr.includes("not assignable to type 'string'"), wrongType.stderr);
  const inside = await check([
    'import "../../lib/errors.ts";\nimport { x } from "../../lib/x.ts";\nx;',
  ]);
  assertEquals(inside.code, 1);
  assert(inside.stderr.includes("01_a.ipynb: cell 2 imports ../../lib/x.ts"), inside.stderr);
});
