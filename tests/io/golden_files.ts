/** The files of tests/golden/io/, written by Python packages, and the numbers those read from them. */
import { assert } from "../../lib/std.ts";
import type { HostTensor, TensorSource } from "../../lib/types.ts";

export type Numbers = { shape: number[]; base64: string };
type Golden = {
  safetensors: Record<string, Numbers>;
  torch: { dict: Record<string, Numbers>; state_dict: Record<string, Numbers> };
  gguf: Record<string, Numbers>;
  llama: Record<string, Numbers>;
};

/** The path of one of the files. */
export function goldenPath(name: string): string {
  return new URL(`../golden/io/${name}`, import.meta.url).pathname;
}

export const golden: Golden = JSON.parse(await Deno.readTextFile(goldenPath("io.json")));

/** What base64 stands for. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Asserts that a tensor has the wanted shape and the wanted bits. */
export function assertSameBits(actual: HostTensor, wanted: Numbers, name: string): void {
  const bits = [...new Uint8Array(actual.data.slice().buffer)];
  const wantedBits = [...bytesOf(wanted.base64)];
  assert(actual.shape.join() === wanted.shape.join(), `${name} has shape [${actual.shape}]`);
  assert(bits.join() === wantedBits.join(), `${name} has other bits: ${actual.data}`);
}

export async function readAll(source: TensorSource, name: string): Promise<HostTensor> {
  return { shape: source.shape(name), data: await source.read(name) };
}
