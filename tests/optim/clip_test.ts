import { clipByGlobalNorm } from "../../lib/optim/clip.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";

type GoldenClip = { maxNorm: number; before: number[][]; norm: number; after: number[][] };
const golden: { clip: GoldenClip[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/optim.json", import.meta.url)),
);

for (const [i, { maxNorm, before, norm, after }] of golden.clip.entries()) {
  Deno.test(`clipByGlobalNorm() equals torch's clip_grad_norm_ (case ${i})`, () => {
    const gradients = before.map((list) => new Float32Array(list));
    assertClose(clipByGlobalNorm(gradients, maxNorm), norm, { relative: 1e-6 });
    gradients.forEach((g, p) => assertClose(g, after[p], { relative: 1e-6 }));
  });
}

Deno.test("clipByGlobalNorm() reports a norm that is not finite and leaves gradients alone", () => {
  for (const bad of [NaN, Infinity]) {
    const gradients = [new Float32Array([3, bad]), new Float32Array([4])];
    assertEquals(clipByGlobalNorm(gradients, 1), bad);
    assertEquals(gradients.map((g) => [...g]), [[3, bad], [4]]);
  }
});

Deno.test("clipByGlobalNorm() only measures when maxNorm is Infinity", () => {
  const gradients = [new Float32Array([3e4, 4e4])];
  assertEquals(clipByGlobalNorm(gradients, Infinity), 5e4);
  assertEquals([...gradients[0]], [3e4, 4e4]);
});
