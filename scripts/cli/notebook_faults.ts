/** What is read of a notebook's cell. */
export type NotebookCell = {
  cell_type: string;
  source: string | string[];
  metadata?: { tags?: string[] };
  outputs?: { output_type: string }[];
};

const MOST_LINES = 15;
/** Code cells in a row that may show nothing. */
const MOST_SILENT = 2;
const allowedImport = /^((\.\.\/)+mod\.ts|node:assert\/strict)$/;
const machinePath = /(?<![\w.])(\/(home|root|tmp|Users)\/|[A-Z]:\\\\)/;

/** The text of a cell. */
export const sourceOf = ({ source }: NotebookCell): string => [source].flat().join("");

/** How a notebook breaks the rules of notebooks/README.md, a sentence a fault. */
export function notebookFaults(cells: readonly NotebookCell[]): string[] {
  let silent = 0;
  return cells.flatMap((cell, i) => {
    if (cell.cell_type !== "code") {
      silent = 0;
      return [];
    }
    const { outputs = [], metadata } = cell, source = sourceOf(cell);
    silent = outputs.length > 0 ? 0 : silent + 1;
    const isMarked = metadata?.tags?.includes("raises-exception") ?? false;
    const hasFailed = outputs.some(({ output_type }) => output_type === "error");
    const imports = [...source.matchAll(/\b(?:from|import) "([^"]+)"/g)].map(([, name]) => name);
    const faults = [
      source.split("\n").length > MOST_LINES && `has more than ${MOST_LINES} lines`,
      isMarked && !hasFailed && "is marked to fail, and its output is no error",
      !isMarked && hasFailed && "failed and is not marked to",
      silent > MOST_SILENT && `is number ${silent} in a row that shows nothing`,
      machinePath.test(JSON.stringify(outputs)) && "shows a path of a machine",
      ...imports.filter((name) => !allowedImport.test(name)).map((name) => `imports ${name}`),
    ];
    return faults.filter((fault) => fault !== false).map((fault) => `cell ${i + 1} ${fault}`);
  });
}

/** The solutions of the exercises, which stand folded in the text of the last cell. */
export function solutionsOf(cells: readonly NotebookCell[]): string[] {
  const last = cells.at(-1);
  return last
    ? [...sourceOf(last).matchAll(/```typescript\n(.*?)```/gs)].map(([, code]) => code)
    : [];
}
