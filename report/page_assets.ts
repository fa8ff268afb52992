import { fileURLToPath } from "node:url";

/** What every page carries: its style, its script, and the library that draws. */
export type PageAssets = { style: string; script: string; plotly: string };

/** Reads what pages carry; once is enough for a process. */
export async function pageAssets(): Promise<PageAssets> {
  const own = (name: string) => Deno.readTextFile(new URL(`client/${name}`, import.meta.url));
  const library = fileURLToPath(import.meta.resolve("plotly.js-basic-dist-min"));
  const [style, script, plotly] = await Promise.all([
    own("page.css"),
    own("page.js"),
    Deno.readTextFile(library),
  ]);
  return { style, script, plotly };
}
