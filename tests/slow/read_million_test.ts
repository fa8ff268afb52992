import { assertEquals } from "../../lib/std.ts";

const GOOD = `{"prompt": "Fever?", "chosen": " No.", "rejected": " Yes."}`;

Deno.test("readTriplets() reads 1,000,000 rows in constant memory", async () => {
  const path = await Deno.makeTempFile();
  const block = new TextEncoder().encode(`${GOOD}\n`.repeat(10_000));
  {
    using file = await Deno.open(path, { write: true });
    for (let i = 0; i < 100; i++) file.writeSync(block);
  }
  const reader = new URL("../../lib/data/read_triplets.ts", import.meta.url);
  const code = `import { readTriplets } from "${reader}";
    const kept = []; let rows = 0;
    for await (const row of readTriplets(${JSON.stringify(path)})) {
      rows++;
      if (Deno.args.includes("keep")) kept.push(row);
    }
    console.log(rows);`;
  // Rows that were kept would take 150 MB; the heap may grow to 64.
  const run = async (...args: string[]) => {
    const flags = ["--no-check", "--allow-read", "--v8-flags=--max-old-space-size=64"];
    const script = path + ".ts";
    await Deno.writeTextFile(script, code);
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, "--config", "deno.json", script, ...args],
    });
    const { success, stdout } = await command.output();
    await Deno.remove(script);
    return { success, rows: Number(new TextDecoder().decode(stdout)) };
  };
  assertEquals(await run(), { success: true, rows: 1_000_000 });
  assertEquals((await run("keep")).success, false, "the limit would be noticed");
  await Deno.remove(path);
});
