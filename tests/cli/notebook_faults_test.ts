import { assertEquals } from "../../lib/std.ts";
import { notebookFaults, solutionsOf } from "../../scripts/cli/notebook_faults.ts";

const cell = (source: string, outputs: { output_type: string }[] = [], tags: string[] = []) => ({
  ...{ cell_type: "code", source, outputs, metadata: { tags } },
});
const shown = [{ output_type: "stream" }], error = [{ output_type: "error" }];
const marked = ["raises-exception"];

Deno.test("notebookFaults() finds nothing wrong with cells as they should be", () => {
  const imports = 'import { a } from "../mod.ts";\nimport b from "node:assert/strict";';
  assertEquals(notebookFaults([cell(imports, shown), cell("c();", error, marked)]), []);
});

Deno.test("notebookFaults() names each fault and its cell", () => {
  const says = (...cells: Parameters<typeof cell>[]) =>
    notebookFaults(cells.map((c) => cell(...c)));
  assertEquals(says(["\n".repeat(15), shown]), ["cell 1 has more than 15 lines"]);
  assertEquals(says(["a", shown, marked]), [
    "cell 1 is marked to fail, and its output is no error",
  ]);
  assertEquals(says(["a", error]), ["cell 1 failed and is not marked to"]);
  assertEquals(says(["a"], ["b"], ["c"]), ["cell 3 is number 3 in a row that shows nothing"]);
  const path = [{ output_type: "stream", text: ["read /home/me/x"] }];
  assertEquals(says(["a", path]), ["cell 1 shows a path of a machine"]);
  const inside = 'import { a } from "../lib/errors.ts";';
  assertEquals(says([inside, shown]), ["cell 1 imports ../lib/errors.ts"]);
});

Deno.test("solutionsOf() takes the code out of the last cell's text", () => {
  const text = "**1.** Why?\n\n```typescript\na();\n```\n\n```typescript\nb();\nc();\n```\n";
  assertEquals(solutionsOf([cell("x"), { cell_type: "markdown", source: text }]), [
    "a();\n",
    "b();\nc();\n",
  ]);
});
