import fc from "fast-check";
import { readTorchBin, writeTorchBin } from "../../lib/io/torch_bin.ts";
import { packZip } from "../../lib/io/zip.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { HostTensor } from "../../lib/types.ts";
import { survivesDamage, userError } from "./damage.ts";
import { assertSameBits, golden, goldenPath } from "./golden_files.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

async function archiveOf(files: Parameters<typeof packZip>[0]): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".bin" });
  const file = await Deno.open(path, { write: true });
  for (const piece of packZip(files, { alignment: 64 })) await file.write(piece);
  file.close();
  return path;
}

/** A .bin whose data.pkl is this text, each character a byte, with four storage bytes. */
const binOf = (pickle: string): Promise<string> =>
  archiveOf([["a/data.pkl", bytes(pickle)], ["a/data/0", new Uint8Array(4)]]);

/** The same archive, its first entry said to be compressed. */
async function compressed(path: string): Promise<string> {
  const archive = await Deno.readFile(path);
  const at = archive.findIndex((_, i) => archive.subarray(i, i + 4).join() === "80,75,1,2");
  archive[at + 10] = 8;
  await Deno.writeFile(path, archive);
  return path;
}

const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const storage = (type: string, size: number) =>
  `(${text("storage")}ctorch\n${type}\n${text("0")}${text("cpu")}K${String.fromCharCode(size)}tQ`;
const tensor = (source: string, rest: string) =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${source}${rest}\x89ccollections\nOrderedDict\n)RtR`;
const dict = (value: string) => `\x80\x02}(${text("w")}${value}u.`;

for (const kind of ["dict", "state_dict"] as const) {
  Deno.test(`readTorchBin() reads a ${kind} that torch.save wrote`, async () => {
    const tensors = await readTorchBin(goldenPath(`${kind}.bin`));
    assertEquals([...tensors.keys()], Object.keys(golden.torch[kind]));
    for (const [name, wanted] of Object.entries(golden.torch[kind])) {
      assertSameBits(tensors.get(name)!, wanted, name);
    }
  });
}

Deno.test("readTorchBin() refuses to run code, and names it", async () => {
  for (const call of ["cos\nsystem", "cposix\nsystem", "cbuiltins\neval", "c__builtin__\nexec"]) {
    const path = await binOf(`\x80\x02${call}\n${text("echo pwned")}\x85R.`);
    const { message } = await userError(readTorchBin(path));
    const name = call.slice(1).replace("\n", ".");
    const reason = `it would make a program run "${name}", which a dict of tensors has no need of`;
    assertEquals(message, `Cannot read "${path}": ${reason}`);
  }
});

Deno.test("readTorchBin() refuses opcodes that build or import objects", async () => {
  // INST, OBJ, NEWOBJ, STACK_GLOBAL, EXT1, REDUCE on a non-callable.
  for (const opcode of ["i", "o", "\x81", "\x93", "\x82"]) {
    const { message } = await userError(readTorchBin(await binOf(`\x80\x02${opcode}`)));
    assert(/it uses pickle opcode 0x[0-9a-f]{2}, which/.test(message), message);
  }
  const { message } = await userError(readTorchBin(await binOf(`\x80\x02${text("os")})R.`)));
  assert(/its pickle is damaged at byte \d+/.test(message), message);
});

Deno.test("readTorchBin() says what a file holds instead of tensors", async () => {
  const cases: [path: string, reason: string][] = [
    [goldenPath("not_a_dict.bin"), "it must hold a dict of tensors"],
    [goldenPath("nested.bin"), `it must hold a dict of tensors, but "epoch" is not a tensor`],
    [
      goldenPath("int64.bin"),
      "it holds numbers of type torch.LongStorage, wanted torch.FloatStorage, torch.HalfStorage, " +
      "torch.BFloat16Storage",
    ],
    [goldenPath("types.gguf"), "it is no zip archive, or it was cut short"],
    [await archiveOf([["a", bytes("")]]), "it has no data.pkl; torch.save did not write it"],
    [
      await archiveOf([["a/data.pkl", bytes("")], ["a/byteorder", bytes("big")]]),
      "its numbers are not little-endian",
    ],
    [await compressed(await binOf("\x80\x02}.")), '"a/data.pkl" is compressed, wanted it stored'],
    [await binOf("\x80\x02}"), "its pickle is damaged at byte 3"],
    // What lies under a mark is out of reach.
    [await binOf("\x80\x02}}(K\0s."), "its pickle is damaged at byte 8"],
  ];
  for (const [path, reason] of cases) {
    assertEquals((await userError(readTorchBin(path))).message, `Cannot read "${path}": ${reason}`);
  }
});

Deno.test("readTorchBin() refuses tensors that reach outside their storage or fill the memory", async () => {
  const good = tensor(storage("FloatStorage", 1), "K\0K\x01\x85K\x01\x85");
  assertEquals((await readTorchBin(await binOf(dict(good)))).get("w")!.shape, [1]);
  const cases: [value: string, reason: RegExp][] = [
    [
      tensor(storage("FloatStorage", 2), "K\0K\x01\x85K\x01\x85"),
      /"w" doesn't fit into its storage/,
    ],
    [
      tensor(storage("FloatStorage", 1), "K\x01K\x01\x85K\x01\x85"),
      /"w" doesn't fit into its stor/,
    ],
    [
      tensor(storage("FloatStorage", 1), "K\0K\x02\x85K\x01\x85"),
      /"w" doesn't fit into its storage/,
    ],
    // A billion numbers out of one, by stride 0.
    [
      tensor(storage("FloatStorage", 1), "K\0J\0\0\0\x40\x85K\0\x85"),
      /describes 1073741824 numbers/,
    ],
    [tensor(storage("FloatStorage", 1), "K\0K\x01\x85K\x01K\x01\x86"), /its pickle is damaged/],
  ];
  for (const [value, reason] of cases) {
    const { message } = await userError(readTorchBin(await binOf(dict(value))));
    assert(reason.test(message), message);
  }
});

Deno.test("readTorchBin() survives any damage", async () => {
  for (const name of ["dict.bin", "state_dict.bin"]) {
    await survivesDamage(await Deno.readFile(goldenPath(name)), readTorchBin);
  }
});

Deno.test("readTorchBin() survives any pickle", async () => {
  const opcode = fc.constantFrom(..."}])(NKMJGXcqrhjtaesuQRb.\x80\x85\x86\x87\x88\x89\x8a");
  const piece = fc.oneof(
    opcode,
    fc.constantFrom(text("w"), storage("FloatStorage", 1)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const bin = await binOf(pieces.join(""));
      await readTorchBin(bin).catch((error) => {
        if (error.name !== "UserError") throw error;
      });
      await Deno.remove(bin);
    }),
    { numRuns: 300 },
  );
});

Deno.test("writeTorchBin() and readTorchBin() are inverse to the bit", async () => {
  const path = await Deno.makeTempFile();
  const numbers = fc.array(fc.float(), { minLength: 6, maxLength: 6 });
  const entries = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme" }), numbers), {
    selector: ([name]) => name,
  });
  const shapes = fc.constantFrom<number[]>([6], [2, 3], [3, 1, 2], [1, 6]);
  await fc.assert(
    fc.asyncProperty(entries, shapes, async (list, shape) => {
      const tensors = list.map(([name, data]): [string, HostTensor] => [
        name,
        { shape, data: Float32Array.from(data) },
      ]);
      await writeTorchBin(path, tensors);
      assertEquals([...await readTorchBin(path)], tensors);
    }),
    { numRuns: 50 },
  );
});

Deno.test("writeTorchBin() lays storages at multiples of 64 bytes, as torch.load maps them", async () => {
  const path = await Deno.makeTempFile();
  const one = { shape: [1], data: Float32Array.of(123.456) };
  await writeTorchBin(path, [["a", one], ["b", one]]);
  const bytes = await Deno.readFile(path);
  const wanted = [...new Uint8Array(one.data.buffer)];
  const places = [...bytes.keys()].filter((at) =>
    wanted.every((byte, i) => bytes[at + i] === byte)
  );
  assertEquals(places.map((at) => at % 64), [0, 0]);
});

Deno.test("writeTorchBin() refuses sizes that a .bin can't hold, and writes nothing", async () => {
  const path = `${await Deno.makeTempDir()}/a.bin`;
  const write = (shape: number[]) =>
    writeTorchBin(path, [["w", { shape, data: new Float32Array() }]]);
  const cases: [shape: number[], message: string][] = [
    [[2, 3], 'Tensor "w" [2,3] has 0 numbers'],
    [[0, 2 ** 31], "A size of 2147483648 is too large for a .bin file"],
  ];
  for (const [shape, message] of cases) {
    const error = await write(shape).catch((error) => error);
    assertEquals([error.name, error.message], ["RangeError", message]);
  }
  assertEquals(await Deno.stat(path).catch(({ name }) => name), "NotFound");
});
