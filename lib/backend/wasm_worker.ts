/** A thread of the WebAssembly backend: it waits for products and computes parts of them. */
import { workerData } from "node:worker_threads";
import { kernelsOn, productPart } from "./wasm_product.ts";
import { serve, type ThreadStart } from "./wasm_threads.ts";

const { code, memory, control, room } = workerData as ThreadStart;
const kernels = kernelsOn(memory, code);
serve(control, (job, part) => productPart(kernels, { job, part, room }));
