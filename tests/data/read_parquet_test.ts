/** Files that pyarrow wrote (tests/golden/make_parquet.py). */
import { assert, assertEquals } from "../../lib/std.ts";
import { UserError } from "../../lib/errors.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { readTriplets } from "../../lib/data/read_triplets.ts";

const pathOf = (codec: string) =>
  new URL(`../golden/parquet/${codec}.parquet`, import.meta.url).pathname;
const CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"];

const answer = (content: string) => [{ role: "assistant", content }];
const WANTED = [0, 1, 2].map((i) => ({
  prompt: `Note ${i}: fever?`,
  chosen: answer(`Température ${i}.`),
  rejected: answer("No."),
}));

Deno.test("readTriplets() and readTable() read Parquet in every usual compression", async () => {
  for (const codec of CODECS) {
    const rows = await Array.fromAsync(readTriplets(pathOf(codec)));
    const wanted = WANTED.map((triplet, i) => ({ line: i + 1, triplet }));
    assertEquals([codec, ...rows], [codec, ...wanted]);
  }
  const wanted = WANTED.map((row, i) => ({ ...row, score: i / 2, id: 2n ** 60n + BigInt(i) }));
  assertEquals(await readTable(pathOf("zstd")), wanted);
});

Deno.test("readTriplets() refuses a spoilt Parquet file in one sentence", async () => {
  const path = await Deno.makeTempFile({ suffix: ".parquet" });
  const whole = await Deno.readFile(pathOf("zstd"));
  const problem = async (bytes: Uint8Array) => {
    await Deno.writeFile(path, bytes);
    const error = await Array.fromAsync(readTriplets(path)).then(() => null, (error) => error);
    assert(error instanceof UserError, `${error}`);
    return error.message.replace(path, "FILE");
  };
  const at = `Cannot parse "FILE" as Parquet: `;
  assert((await problem(new Uint8Array())).startsWith(at));
  assert((await problem(whole.slice(0, 900))).startsWith(at));
  assert((await problem(whole.fill(7, 4, 300))).startsWith(at));
  assertEquals(
    await Array.fromAsync(readTriplets("no.parquet")).catch(({ message }) => message),
    `Cannot read "no.parquet": there is no such file or folder`,
  );
});
