import { Worker } from "node:worker_threads";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { WASM_CODE } from "./wasm_code.ts";
import { heapOf } from "./wasm_memory.ts";
import { kernelsOn, type Matrices, productPart } from "./wasm_product.ts";
import { makeControl, runShared, type ThreadStart } from "./wasm_threads.ts";

/** Products of `items` pairs of matrices, `[rows, inner]` by `[inner, columns]`, written to `out`. */
type Products = {
  a: Matrices;
  b: Matrices;
  out: number;
  items: number;
  rows: number;
  columns: number;
  inner: number;
};

type Multiply = (products: Products) => void;

/** More threads would mostly lay out the same matrices. */
const MOST_THREADS = 16;
/** More than one: what a thread that is slow or called away has not taken, the others do. */
const PARTS_A_THREAD = 4;
/** A part with fewer floating-point operations is done before another thread has woken. */
const PART_FLOPS = 1 << 20;
/** Rows or columns of a part: fewer cost less than to lay the other side out for them once more. */
const LEAST_CUT = 96;

const made = new WeakMap<BackendWasm, Multiply>();

/** Our own kernel in the memory of tfjs' WebAssembly backend, and the threads that share its work. */
export function multiplierOf(backend: BackendWasm): Multiply {
  const known = made.get(backend) ?? makeMultiplier(backend);
  made.set(backend, known);
  return known;
}

function makeMultiplier(backend: BackendWasm): Multiply {
  const heap = heapOf(backend), { memory } = heap.asm;
  const code = new WebAssembly.Module(Uint8Array.fromBase64(WASM_CODE));
  const kernels = kernelsOn(memory, code), control = makeControl();
  const makeRoom = () => heap._malloc(Float32Array.BYTES_PER_ELEMENT * kernels.productRoom());
  const room = makeRoom();
  const threads = threadCount();
  for (let i = 1; i < threads; i++) startThread({ code, memory, control, room: makeRoom() });
  return ({ a, b, out, items, rows, columns, inner }) => {
    const worth = Math.floor(2 * items * rows * columns * inner / PART_FLOPS);
    const wanted = Math.ceil(Math.min(PARTS_A_THREAD * threads, worth) / items);
    const cuts = Math.max(1, Math.min(wanted, Math.floor(Math.max(rows, columns) / LEAST_CUT)));
    const job = [...a, ...b, out, rows, columns, inner, cuts], parts = items * cuts;
    const run = (job: ArrayLike<number>, part: number) => productPart(kernels, { job, part, room });
    if (threads > 1 && worth > 1) return runShared(control, { job, parts }, run);
    for (let part = 0; part < parts; part++) run(job, part);
  };
}

/** All cores; one where this isn't a file, or one that may not be read: then no thread can start. */
function threadCount(): number {
  const path = import.meta.dirname;
  const canStart = path && Deno.permissions.querySync({ name: "read", path }).state === "granted";
  return canStart ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
}

/** Starts a thread that lives as long as the process and doesn't keep it alive. */
function startThread(start: ThreadStart): void {
  const worker = new Worker(new URL("./wasm_worker.ts", import.meta.url), { workerData: start });
  worker.unref();
}
