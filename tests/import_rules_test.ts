import { dirname, join, normalize } from "node:path";
import { assertEquals } from "../lib/std.ts";

/** What each room of lib/ may import besides itself and the files that lie in lib/ directly. */
const roomsBefore: Record<string, string[]> = {
  backend: [],
  io: [],
  data: ["io"],
  meter: ["data"],
  negatives: ["data", "meter"],
  tokenizer: ["io", "data"],
  setup: ["backend", "io"],
  layers: ["backend"],
  model: ["backend", "io", "tokenizer", "layers"],
  lora: ["io", "layers", "model"],
  loss: [],
  optim: [],
  train: ["backend", "io", "data", "tokenizer", "layers", "model", "lora", "loss", "optim"],
};
roomsBefore.estimate = ["backend", "tokenizer", "layers", "model", "lora", "optim", "train"];
roomsBefore.convert = ["io", "tokenizer", "model", "train"];
roomsBefore.evaluate = Object.keys(roomsBefore);
roomsBefore.notebook = ["backend", "train"];

/** Rooms that see numbers, text or bytes only. */
const roomsWithoutTensors = ["io", "data", "meter", "negatives", "tokenizer", "loss", "optim"];

/** Words that may stand only in certain places. */
const words: { rule: string; word: RegExp; allowed: RegExp }[] = [
  {
    rule: "only scripts/ reads Deno.args or exits",
    word: /\bDeno\s*\.\s*(args|exit|exitCode)\b|\bprocess\s*\.\s*(argv|exit)\b/,
    allowed: /^(scripts|bench|tests)\//,
  },
  {
    rule: "nothing but random.ts makes randomness",
    word:
      /\bMath\.random|getRandomValues|randomUUID|\brandom(Normal|Uniform|Bytes)|truncatedNormal/,
    allowed: /^(lib\/random\.ts$|tests\/)/,
  },
  {
    rule: "nothing but backend/ names a TensorFlow kernel",
    word: /\b(executeOp|runKernel(Func)?|registerKernel)\b/,
    allowed: /^(lib\/backend|tests)\//,
  },
  {
    rule: "nothing but notebook/ knows of the notebook",
    word: /\bDeno\s*\.\s*jupyter\b/,
    allowed: /^(lib\/notebook|tests)\//,
  },
];

type Source = { path: string; code: string };

/** The code without comments that fill their lines: examples in them import what they like. */
function withoutComments(text: string): string {
  return text.split("\n").filter((line) => !/^\s*(\/\/|\/?\*)/.test(line)).join("\n");
}

/** What a file imports: project files by their path from the root, packages by name. */
function importsOf({ path, code }: Source): string[] {
  const statements =
    /^\s*(?:import|export)\b[^;"'`]*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(statements)].map(([, named, dynamic]) => named ?? dynamic)
    .map((target) => target.startsWith(".") ? normalize(join(dirname(path), target)) : target);
}

const roomOf = (path: string) => path.match(/^lib\/([^/]+)\//)?.[1];

function roomProblems(source: Source): string[] {
  const room = roomOf(source.path);
  if (source.path.startsWith("report/")) {
    return importsOf(source).filter((target) => /^(scripts|tests|bench|notebooks)\//.test(target))
      .map((target) => `${source.path} imports ${target}`);
  }
  if (!source.path.startsWith("lib/")) return [];
  if (room && !roomsBefore[room]) {
    return [`${source.path}: the room ${room} has no place in the order`];
  }
  return importsOf(source).filter((target) => {
    const there = roomOf(target);
    if (/^(report|scripts|tests|bench|notebooks)\//.test(target) || target === "mod.ts") {
      return true;
    }
    if (there) return !room || (there !== room && !roomsBefore[room].includes(there));
    return target.startsWith("@tensorflow/") && roomsWithoutTensors.includes(room ?? "loss");
  }).map((target) => `${source.path} imports ${target}`);
}

function wordProblems({ path, code }: Source): string[] {
  return words.filter(({ word, allowed }) => word.test(code) && !allowed.test(path))
    .map(({ rule, word }) => `${path} has "${code.match(word)![0]}": ${rule}`);
}

/** Circles of imports, each as the path around it. */
function circles(sources: Source[]): string[] {
  const imports = new Map(sources.map((source) => [source.path, importsOf(source)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    } else if (!done.has(path)) {
      for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    }
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

async function readSources(folder: string): Promise<Source[]> {
  const sources: Source[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(`../${folder}`, import.meta.url))
  ) {
    const path = `${folder}${name}`;
    if (isDirectory) sources.push(...await readSources(`${path}/`));
    else if (/\.ts$/.test(name)) {
      const text = await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
      sources.push({ path, code: withoutComments(text) });
    }
  }
  return sources;
}

const sources =
  (await Promise.all(["lib/", "report/", "scripts/", "tests/", "bench/"].map(readSources)))
    .flat();

Deno.test("each room imports only the rooms before it", () => {
  assertEquals(sources.flatMap(roomProblems), []);
});

Deno.test("arguments, randomness and kernels stay where they belong", () => {
  assertEquals(sources.flatMap(wordProblems), []);
});

Deno.test("no files import each other in a circle", () => {
  assertEquals(circles(sources), []);
});

Deno.test("the rules find what breaks them", () => {
  const lines = (path: string, ...code: string[]) => ({
    path,
    code: withoutComments(code.join("\n")),
  });
  const rooms = [
    lines("lib/loss/a.ts", 'import {\n  b,\n} from "../model/b.ts";', 'import "../errors.ts";'),
    lines("lib/model/a.ts", 'export { c } from "../../mod.ts";', ' * import "../train/doc.ts";'),
    lines("lib/io/a.ts", 'const tf = await import("@tensorflow/tfjs");'),
    lines("lib/a.ts", 'import type { C } from "./data/c.ts";'),
    lines("lib/attic/a.ts"),
    lines("lib/train/a.ts", 'import { d } from "../loss/d.ts";'),
    lines("report/a.ts", 'import "../mod.ts";', 'import { e } from "../scripts/cli/e.ts";'),
    lines("lib/train/b.ts", 'import { f } from "../../report/f.ts";'),
  ];
  assertEquals(rooms.flatMap(roomProblems), [
    "lib/loss/a.ts imports lib/model/b.ts",
    "lib/model/a.ts imports mod.ts",
    "lib/io/a.ts imports @tensorflow/tfjs",
    "lib/a.ts imports lib/data/c.ts",
    "lib/attic/a.ts: the room attic has no place in the order",
    "report/a.ts imports scripts/cli/e.ts",
    "lib/train/b.ts imports report/f.ts",
  ]);
  const code = ["Deno.exit(1)", "const x = Math.random();", 'backend.executeOp("MatMul")'];
  assertEquals(wordProblems(lines("lib/train/a.ts", ...code)).length, 3);
  assertEquals(wordProblems(lines("scripts/a.ts", "Deno.exit(1)", "// Math.random()")), []);
  const ring = [
    lines("lib/a.ts", 'import "./b.ts";'),
    lines("lib/b.ts", 'import "./c.ts";'),
    lines("lib/c.ts", 'import "./b.ts";'),
  ];
  assertEquals(circles(ring), ["lib/b.ts -> lib/c.ts -> lib/b.ts"]);
});
