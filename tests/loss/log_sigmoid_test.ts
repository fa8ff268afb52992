import { logSigmoid, sigmoid } from "../../lib/loss/log_sigmoid.ts";
import { assertEquals } from "../../lib/std.ts";
import { assertClose } from "../close.ts";

Deno.test("logSigmoid() is exact in both tails", () => {
  assertEquals([1e4, -1e4, Infinity, -Infinity].map(logSigmoid), [0, -1e4, 0, -Infinity]);
  assertClose(logSigmoid(-40), -40, { absolute: 1e-15 });
  assertClose(logSigmoid(40), -Math.exp(-40), { relative: 1e-15 });
  assertEquals(logSigmoid(NaN), NaN);
});

Deno.test("sigmoid() is exact in both tails and symmetric", () => {
  assertEquals([0, 1e4, -1e4].map(sigmoid), [0.5, 1, 0]);
  assertClose(sigmoid(-40), Math.exp(-40), { relative: 1e-15 });
  for (const z of [0.1, 1, 7]) assertClose(sigmoid(z) + sigmoid(-z), 1, { absolute: 1e-15 });
  assertEquals(sigmoid(NaN), NaN);
});
