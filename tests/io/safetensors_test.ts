import fc from "fast-check";
import { join } from "node:path";
import { openSafetensors, openShardedSafetensors } from "../../lib/io/safetensors.ts";
import { type TensorToWrite, writeSafetensors } from "../../lib/io/write_safetensors.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { survivesDamage, userError } from "./damage.ts";
import { assertSameBits, golden, goldenPath, readAll } from "./golden_files.ts";

const mixed = goldenPath("mixed.safetensors");

/** A file of this header (an object or raw text) and so many bytes of data. */
async function fileOf(header: unknown, dataBytes: number): Promise<string> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  await Deno.writeFile(path, bytes);
  return path;
}

const f32 = (shape: number[], ...data_offsets: number[]) => ({ dtype: "F32", shape, data_offsets });

Deno.test("openSafetensors() reads F32, F16 and BF16 as Python's safetensors does", async () => {
  const source = await openSafetensors(mixed);
  for (const [name, wanted] of Object.entries(golden.safetensors)) {
    assertSameBits(await readAll(source, name), wanted, name);
  }
  assertEquals(source.names().sort(), [...Object.keys(golden.safetensors), "ids"].sort());
  source.close();
});

Deno.test("openSafetensors() names a tensor's dtype that can't be read, and a missing tensor", async () => {
  const source = await openSafetensors(mixed);
  const { message } = await userError(source.read("ids"));
  assertEquals(message, `Cannot read "${mixed}": tensor "ids" is I64, wanted F32, F16, BF16`);
  const missing = await userError(source.read("w"));
  assertEquals(missing.message, `Cannot read "${mixed}": it has no tensor "w"`);
  source.close();
});

Deno.test("openSafetensors() refuses a header that breaks a rule, and says which", async () => {
  const cases: [header: unknown, dataBytes: number, reason: RegExp][] = [
    [{ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, /tensor "b": its data overlaps the tensor/],
    [{ a: f32([2], 0, 8), b: f32([2], 12, 20) }, 20, /tensor "b": its data leaves a gap/],
    [{ a: f32([2], 0, 8) }, 4, /tensor "a": its data end at byte \d+, the file at \d+; it was not/],
    [{ a: f32([2], 0, 8) }, 9, /its tensors end at byte \d+, the file at \d+/],
    [
      { a: f32([3], 0, 8) },
      8,
      /tensor "a": F32 \[3\] needs 12 bytes, data_offsets \[0, 8\] hold 8/,
    ],
    [{ a: f32([-2], 0, 8) }, 8, /tensor "a": shape must be .* found \[-2\]/],
    [{ a: f32([2 ** 60, 2 ** 60], 0, 8) }, 8, /tensor "a": shape must be/],
    [{ a: { dtype: "F7", shape: [], data_offsets: [0, 4] } }, 4, /dtype must be .* found "F7"/],
    [{ a: { dtype: "toString", shape: [], data_offsets: [0, 4] } }, 4, /found "toString"/],
    [{ a: f32([1], 4) }, 4, /data_offsets must be \[begin, end\], found \[4\]/],
    [{ a: 3 }, 0, /tensor "a": its description must be an object/],
    [{ __metadata__: { a: 1 } }, 0, /__metadata__ must map names to strings/],
    ["[]", 0, /its header must be a JSON object/],
    ["{", 0, /its header must be a JSON object/],
  ];
  for (const [header, dataBytes, reason] of cases) {
    const path = await fileOf(header, dataBytes);
    const { message } = await userError(openSafetensors(path));
    assert(message.startsWith(`Cannot read "${path}": `) && reason.test(message), message);
  }
});

Deno.test("openSafetensors() refuses a header length that the file can't hold", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, new Uint8Array(20).fill(255));
  const { message } = await userError(openSafetensors(path));
  assert(/claims 18446744073709552000 bytes, at most 12 are possible/.test(message), message);
});

Deno.test("openSafetensors() survives any damage", async () => {
  await survivesDamage(await Deno.readFile(mixed), async (path) => {
    const source = await openSafetensors(path);
    try {
      for (const name of source.names()) await source.read(name);
    } finally {
      source.close();
    }
  });
});

Deno.test("openSafetensors() reads what lies beyond 4 GiB", async () => {
  const big = { dtype: "U8", shape: [5e9], data_offsets: [0, 5e9] };
  const path = await fileOf({ big, last: f32([1], 5e9, 5e9 + 4) }, 0);
  using file = await Deno.open(path, { write: true });
  await file.seek(5e9, Deno.SeekMode.End); // the file is sparse: it takes no room
  await file.write(new Uint8Array(Float32Array.of(7).buffer));
  const source = await openSafetensors(path);
  assertEquals([source.shape("big"), [...await source.read("last")]], [[5e9], [7]]);
  source.close();
  await Deno.remove(path);
});

Deno.test("writeSafetensors() and openSafetensors() are inverse to the bit", async () => {
  const path = await Deno.makeTempFile();
  const tensor = fc.array(fc.float(), { maxLength: 9 }).map((list) => Float32Array.from(list));
  const names = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__");
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name }),
      async (list) => {
        const tensors = list.map(([name, data]): [string, TensorToWrite] => [
          name,
          { shape: [1, data.length], data: () => [data] },
        ]);
        await writeSafetensors(path, tensors);
        const source = await openSafetensors(path);
        assertEquals(source.names(), list.map(([name]) => name));
        for (const [name, data] of list) {
          assertEquals(source.shape(name), [1, data.length]);
          assertEquals(
            new Uint8Array((await source.read(name)).buffer),
            new Uint8Array(data.buffer),
          );
        }
        source.close();
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("writeSafetensors() keeps names that JavaScript treats specially", async () => {
  const path = await Deno.makeTempFile();
  const names = ["__proto__", "constructor", "toString"];
  const one = { shape: [1], data: Float32Array.of(1) };
  await writeSafetensors(path, names.map((name) => [name, one] as const));
  const source = await openSafetensors(path);
  assertEquals(source.names(), names);
  source.close();
});

Deno.test("writeSafetensors() starts its data at a multiple of eight bytes and marks it pt", async () => {
  const path = await Deno.makeTempFile();
  await writeSafetensors(path, [["w", { shape: [1], data: Float32Array.of(1) }]]);
  const bytes = await Deno.readFile(path);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assertEquals((8 + length) % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  assertEquals(header.__metadata__, { format: "pt" });
});

Deno.test("writeSafetensors() leaves nothing behind when a shape is wrong", async () => {
  const folder = await Deno.makeTempDir();
  const wrong = writeSafetensors(join(folder, "a"), [["w", {
    shape: [2],
    data: new Float32Array(3),
  }]]);
  const error = await wrong.catch((reason) => reason);
  assert(error instanceof RangeError && /"w" \[2\] has 3 numbers/.test(error.message));
  assertEquals([...Deno.readDirSync(folder)], []);
});

async function shardedFolder(weightMap: unknown): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const [i, name] of ["a", "b"].entries()) {
    const tensor = { shape: [1], data: Float32Array.of(i) };
    await writeSafetensors(join(folder, `model-0000${i + 1}-of-00002.safetensors`), [[
      name,
      tensor,
    ]]);
  }
  const index = join(folder, "model.safetensors.index.json");
  await Deno.writeTextFile(index, JSON.stringify({ weight_map: weightMap }));
  return folder;
}
const [shard1, shard2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

Deno.test("openShardedSafetensors() reads tensors from the shards that the index names", async () => {
  const source = await openShardedSafetensors(await shardedFolder({ b: shard2, a: shard1 }));
  assertEquals(source.names(), ["b", "a"]);
  assertEquals([...await source.read("a"), ...await source.read("b")], [0, 1]);
  assertEquals((await userError(source.read("c"))).message.endsWith(`it has no tensor "c"`), true);
  source.close();
});

Deno.test("openShardedSafetensors() says what is wrong with an index", async () => {
  const cases: [weightMap: unknown, reason: RegExp][] = [
    [
      { a: shard2 },
      /it places tensor "a" in "model-00002-of-00002.safetensors", which has no such/,
    ],
    [{ a: "../x" }, /"weight_map\.a" must name a file of the same folder, found "\.\.\/x"/],
    [{ a: 3 }, /"weight_map\.a" must name a file of the same folder, found 3/],
    [{ a: null }, /"weight_map\.a" must name a file of the same folder, found null/],
    [{ a: "gone.safetensors" }, /gone\.safetensors": there is no such file/],
    [undefined, /"weight_map" must map tensor names to files, found nothing/],
    [["a"], /"weight_map" must map tensor names to files, found a list/],
    [{}, /"weight_map" must map tensor names to files, found an object/],
  ];
  for (const [weightMap, reason] of cases) {
    const { message } = await userError(openShardedSafetensors(await shardedFolder(weightMap)));
    assert(reason.test(message), message);
  }
});

Deno.test("openShardedSafetensors() says what a folder without safetensors holds instead", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "pytorch_model.bin"), "");
  const { message } = await userError(openShardedSafetensors(folder));
  assert(/Cannot find weights in .* it holds a pytorch_model.bin: save the model as/.test(message));
});

Deno.test("writeSafetensors() rounds to the nearest, ties to even, and refuses what float16 can't hold", async () => {
  const path = await Deno.makeTempFile();
  // 1 + 2^-9 lies halfway between two bfloat16, 1 + 2^-12 almost between two float16.
  const data = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -(1 + 2 ** -8 + 2 ** -20), 2 ** -24);
  const wanted = {
    BF16: [1, 1 + 2 ** -6, -(1 + 2 ** -7), 2 ** -24],
    F16: [1 + 2 ** -8, 1 + 3 * 2 ** -8, -(1 + 2 ** -8), 2 ** -24],
  };
  for (const dtype of ["BF16", "F16"] as const) {
    await writeSafetensors(path, [["w", { shape: [4], dtype, data }]]);
    const source = await openSafetensors(path);
    assertEquals([source.dtype("w"), [...await source.read("w")]], [dtype, wanted[dtype]]);
    assertEquals([...await source.read("w", undefined, { first: 1, end: 2 })], [wanted[dtype][1]]);
    source.close();
  }
  const large = writeSafetensors(path, [["w", {
    shape: [1],
    dtype: "F16",
    data: Float32Array.of(7e4),
  }]]);
  const { message } = await userError(large);
  assert(message.includes('tensor "w" holds 70000, which F16 can\'t hold'), message);
});
