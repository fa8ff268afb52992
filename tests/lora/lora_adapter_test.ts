import { UserError } from "../../lib/errors.ts";
import {
  checkLoraNumbers,
  initLora,
  loraScale,
  resolveTargetModules,
} from "../../lib/lora/lora_adapter.ts";
import { blockLinears } from "../../lib/model/block_modules.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";
import { TINY } from "../model/taped_llama.ts";
import { thrownBy } from "../thrown_by.ts";

const CONFIG = { rank: 8, alpha: 16, targetModules: ["v_proj", "q_proj"], rsLora: false };
const WIDE = { ...TINY, hiddenSize: 400 };

Deno.test("initLora() makes A and B of each target in each layer, in the model's order", () => {
  const { modules, parameters, config } = initLora(TINY, CONFIG, { seed: 1 });
  assertEquals(
    modules,
    [0, 1].flatMap((layer) =>
      ["q_proj", "v_proj"].map((name) => `model.layers.${layer}.self_attn.${name}`)
    ),
  );
  assertEquals(config.targetModules, ["q_proj", "v_proj"]);
  const shapes = modules.flatMap((module) => {
    const [out, input] = blockLinears(TINY).find(({ name }) => module.endsWith(name))!.shape;
    return [[`${module}.lora_A.weight`, [8, input]], [`${module}.lora_B.weight`, [out, 8]]];
  });
  assertEquals([...parameters].map(([name, { shape }]) => [name, shape]), shapes);
});

Deno.test("initLora() draws A uniformly in +-1/sqrt(in), as PEFT does, and B zero", () => {
  const { parameters } = initLora(WIDE, CONFIG, { seed: 1 });
  for (const [name, { data, shape }] of parameters) {
    if (name.endsWith("lora_B.weight")) {
      assert(data.every((value) => value === 0), name);
      continue;
    }
    const bound = 1 / Math.sqrt(shape[1]), count = data.length; // 3,200 draws
    assert(data.every((value) => Math.abs(value) <= bound), name);
    assert(Math.max(...data) > 0.99 * bound && Math.min(...data) < -0.99 * bound, name);
    const mean = data.reduce((sum, value) => sum + value, 0) / count;
    const variance = data.reduce((sum, value) => sum + value * value, 0) / count;
    assertClose(mean, 0, { absolute: 0.05 * bound, message: name });
    assertClose(variance, bound * bound / 3, { relative: 0.05, message: name });
  }
});

Deno.test("initLora() draws the same from the same seed, and every matrix anew", () => {
  const numbers = (seed: number) =>
    [...initLora(TINY, CONFIG, { seed }).parameters.values()].map(({ data }) => [...data]);
  assertEquals(numbers(3), numbers(3));
  const [first, second, third] = [numbers(3)[0], numbers(4)[0], numbers(3)[2]];
  assert(first.every((value, i) => value !== second[i]));
  assert(first.every((value, i) => value !== third[i]));
});

Deno.test("loraScale() is alpha / r, and alpha / sqrt(r) for rsLoRA", () => {
  assertEquals(loraScale({ ...CONFIG, rank: 16, alpha: 32 }), 2);
  assertEquals(loraScale({ ...CONFIG, rank: 16, alpha: 32, rsLora: true }), 8);
});

Deno.test("resolveTargetModules() takes names in any order, or all of them", () => {
  assertEquals(resolveTargetModules(TINY, ["down_proj", "k_proj"]), ["k_proj", "down_proj"]);
  assertEquals(resolveTargetModules(TINY, ["all-linear"]).length, 7);
});

Deno.test("resolveTargetModules() names what is none of the model's linear layers", () => {
  const wanted = 'Cannot make an adapter: target modules must be "all-linear" or some of q_proj, ' +
    "k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, found ";
  const cases: [string[], string][] = [
    [["q_proj", "query"], '"query"'],
    [["lm_head"], '"lm_head"'],
    [[], "none"],
  ];
  for (const [names, found] of cases) {
    const error = thrownBy(() => resolveTargetModules(TINY, names));
    assert(error instanceof UserError);
    assertEquals([error.message, error.field], [wanted + found, "target_modules"]);
  }
});

Deno.test("checkLoraNumbers() refuses a rank and an alpha that make no adapter", () => {
  const cases: [Partial<typeof CONFIG>, string][] = [
    [{ rank: 0 }, "rank must be a whole number above 0, found 0"],
    [{ rank: 1.5 }, "rank must be a whole number above 0, found 1.5"],
    [{ alpha: 0 }, "alpha must be a number above 0, found 0"],
    [{ alpha: NaN }, "alpha must be a number above 0, found NaN"],
  ];
  for (const [change, reason] of cases) {
    const { message } = thrownBy(() => checkLoraNumbers({ ...CONFIG, ...change }));
    assertEquals(message, `Cannot make an adapter: ${reason}`);
  }
});
