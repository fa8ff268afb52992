import { ropeFactor, ropeFrequencies } from "../../lib/layers/rope_frequencies.ts";
import { readRope } from "../../lib/model/read_rope.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { thrownBy } from "../thrown_by.ts";

type Row = {
  rope: { rope_type: string; rope_theta: number };
  headDim: number;
  frequencies: number[];
  factor: number;
};
const path = new URL("../golden/rope.json", import.meta.url);
const rows: Row[] = JSON.parse(await Deno.readTextFile(path)).rows;

Deno.test("ropeFrequencies() gives transformers' frequencies of each scaling", () => {
  assertEquals(new Set(rows.map(({ rope }) => rope.rope_type)).size, 3);
  for (const { rope, headDim, frequencies, factor } of rows) {
    const { rope_theta, rope_type: type, ...rest } = rope;
    const older = { rope_theta, rope_scaling: { type, ...rest } }; // as transformers 4 wrote it
    for (const written of [{ rope_parameters: rope }, older]) {
      const { ropeTheta, ropeScaling } = readRope(written, "here");
      const ours = ropeFrequencies(headDim, ropeTheta, ropeScaling);
      assertClose(ours, frequencies, { relative: 2e-6, message: JSON.stringify(rope) });
      assertClose(ropeFactor(ropeScaling), factor, { relative: 1e-6 });
      const plain = ropeFrequencies(headDim, ropeTheta);
      assert(
        plain.some((frequency, i) => frequency > 1.5 * ours[i]),
        "a scaling that does nothing",
      );
    }
  }
});

Deno.test("ropeFrequencies() are powers of the base, or zeros where nothing turns", () => {
  assertClose(ropeFrequencies(6, 1000), [1, 0.1, 0.01], { relative: 1e-12 });
  assertEquals(ropeFrequencies(4, null), [0, 0]);
});

Deno.test("readRope() refuses by name what isn't computed", () => {
  const says = (written: Record<string, unknown>) =>
    thrownBy(() => readRope(written, "here")).message;
  for (const kind of ["dynamic", "longrope", "mrope"]) {
    assertEquals(
      says({ rope_scaling: { type: kind, factor: 2 } }),
      'Cannot use the model at "here": rope_scaling.rope_type must be one of default, linear, ' +
        `llama3, yarn, found "${kind}"`,
    );
  }
  assertEquals(
    says({ partial_rotary_factor: 0.5 }),
    'Cannot use the model at "here": partial_rotary_factor must be 1: whole heads are turned, found 0.5',
  );
  const yarn = { rope_type: "yarn", factor: 4 }; // transformers would take the longest text's length
  assert(
    /"rope_parameters.original_max_position_embeddings"/.test(says({ rope_parameters: yarn })),
  );
  assert(/"rope_parameters.factor": /.test(says({ rope_parameters: { rope_type: "linear" } })));
});
