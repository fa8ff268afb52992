import { initAdamW, updateAdamW, type UpdateAdamWOptions } from "../../lib/optim/adamw.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";

type GoldenRun = {
  options: UpdateAdamWOptions;
  start: number[][];
  gradients: number[][][];
  after: number[][][];
  firstMoments: number[][];
  secondMoments: number[][];
};
const golden: { adamw: GoldenRun[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/optim.json", import.meta.url)),
);
const toArrays = (lists: number[][]) => lists.map((list) => new Float32Array(list));

for (const [i, run] of golden.adamw.entries()) {
  Deno.test(`updateAdamW() follows torch.optim.AdamW over 20 steps (run ${i})`, () => {
    const parameters = toArrays(run.start);
    const state = initAdamW(parameters);
    assertEquals(run.gradients.length, 20);
    run.gradients.forEach((gradients, step) => {
      updateAdamW(parameters, toArrays(gradients), state, run.options);
      parameters.forEach((parameter, p) =>
        assertClose(parameter, run.after[step][p], { absolute: 1e-6, relative: 1e-6 })
      );
    });
    run.start.forEach((_, p) => {
      assertClose(state.firstMoments[p], run.firstMoments[p], { absolute: 1e-9, relative: 2e-6 });
      assertClose(state.secondMoments[p], run.secondMoments[p], {
        absolute: 1e-12,
        relative: 2e-6,
      });
    });
  });
}

Deno.test("updateAdamW() continues from a state that was stored, to the same bits", () => {
  const { start, gradients, options } = golden.adamw[1];
  const run = (split: number) => {
    let parameters = toArrays(start);
    let state = initAdamW(parameters);
    gradients.forEach((g, step) => {
      if (step === split) [parameters, state] = structuredClone([parameters, state] as const);
      updateAdamW(parameters, toArrays(g), state, options);
    });
    return { parameters, state };
  };
  assertEquals(run(7), run(-1));
  assertEquals(run(7).state.step, 20);
});

Deno.test("updateAdamW() refuses gradients of other sizes and changes nothing", () => {
  const parameters = [new Float32Array([1, 2]), new Float32Array([3])];
  const state = initAdamW(parameters);
  const error = thrownBy(() =>
    updateAdamW(parameters, [new Float32Array(2), new Float32Array(2)], state, { learningRate: 1 })
  );
  assertEquals(
    error.message,
    "Cannot update parameters: gradients must have lengths [2, 1], found [2, 2]",
  );
  const many = [2, 1, 1].map((length) => new Float32Array(length));
  assertEquals(
    thrownBy(() => updateAdamW(parameters, many, state, { learningRate: 1 })).message,
    "Cannot update parameters: gradients must have lengths [2, 1], found [2, 1, 1]",
  );
  assertEquals([state.step, [...parameters[0]]], [0, [1, 2]]);
});
