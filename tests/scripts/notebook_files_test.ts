import { executeNotebook, listNotebooks } from "../../scripts/cli/notebook_files.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const cell = (source: string, more = {}) => ({
  ...{ cell_type: "code", id: "x", metadata: {}, source: [source] },
  ...{ outputs: [], execution_count: null, ...more },
});

/** A notebook in a folder of its own. */
async function withNotebook(test: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir(), path = `${folder}/01_a.ipynb`;
  const tags = ["raises-exception"], cells = [cell("console.log(1)", { metadata: { tags } })];
  await Deno.writeTextFile(
    path,
    JSON.stringify({ cells, metadata: { kernelspec: { name: "x" } } }),
  );
  try {
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a copy as far as its outputs go. */
const fill = (outputs: unknown[]) => async (copy: string) => {
  const notebook = JSON.parse(await Deno.readTextFile(copy));
  Object.assign(notebook.cells[0], { outputs, execution_count: 1 });
  await Deno.writeTextFile(copy, JSON.stringify(notebook));
  return 0;
};

Deno.test("executeNotebook() keeps the source and takes the outputs, lines joined", async () => {
  const stream = (text: string) => ({ output_type: "stream", name: "stdout", text: [text] });
  await withNotebook(async (path) => {
    assertEquals(await executeNotebook(path, fill([stream("a\n"), stream("b\n")])), 0);
    const { cells: [first], metadata } = JSON.parse(await Deno.readTextFile(path));
    assertEquals(first.source, ["console.log(1)"]);
    assertEquals(first.outputs, [{ ...stream(""), text: ["a\n", "b\n"] }]);
    assertEquals([first.id, first.metadata.tags], ["cell-1", ["raises-exception"]]);
    assertEquals(metadata.kernelspec.name, "deno");
  });
});

Deno.test("executeNotebook() refuses outputs that tell where the project lies", async () => {
  await withNotebook(async (path) => {
    const before = await Deno.readTextFile(path);
    const text = [`file://${Deno.cwd()}/mod.ts`];
    const outputs = [{ output_type: "stream", name: "stdout", text }];
    const error = await executeNotebook(path, fill(outputs)).catch((error) => error);
    assert(/holds a path of this machine/.test(error.message), error);
    assertEquals(await Deno.readTextFile(path), before);
  });
});

Deno.test("executeNotebook() leaves the notebook as it was where the run fails", async () => {
  await withNotebook(async (path) => {
    const before = await Deno.readTextFile(path), folder = path.replace(/\/[^/]+$/, "");
    assertEquals(await executeNotebook(path, () => Promise.resolve(1)), 1);
    assertEquals(await Deno.readTextFile(path), before);
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["01_a.ipynb"]);
  });
});

Deno.test("listNotebooks() takes names with and without their ending, and says which there are", async () => {
  await withNotebook(async (path) => {
    const folder = path.replace(/\/[^/]+$/, "");
    for (const names of [["01_a"], ["01_a.ipynb"], ["all"]]) {
      assertEquals(await listNotebooks(folder, names), [path]);
    }
    const error = await listNotebooks(folder, ["02"]).catch((error) => error);
    assertEquals(error.message, 'Cannot run notebook "02": wanted one of 01_a, or all');
  });
});
