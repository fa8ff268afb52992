import { UserError } from "../lib/errors.ts";
import { assertEquals, ways } from "../lib/std.ts";
import { thrownBy } from "./thrown_by.ts";

const names = ["beta", "train_file", "json"];

for (const [way, std] of Object.entries(ways)) {
  const test = (name: string, fn: () => void) =>
    Deno.test({ name: std ? name : `${name}: skipped, JSR did not answer`, ignore: !std, fn });

  test(`parseFlags() of ${way} reads --name=value, with any text as the value`, () => {
    const values = ["5e-6", "-1", "a=b", "two words", "line\nline", "--x", "[1]", "007", "true"];
    for (const value of values) {
      assertEquals(std!.parseFlags([`--beta=${value}`, "--json=true"], names), {
        flags: { beta: value, json: "true" },
        words: [],
        unknown: undefined,
      });
    }
  });

  test(`parseFlags() of ${way} takes the last of a flag that is given twice`, () => {
    assertEquals(std!.parseFlags(["--beta=1", "--beta=2"], names).flags, { beta: "2" });
  });

  test(`parseFlags() of ${way} keeps words as they were typed`, () => {
    const { words, flags } = std!.parseFlags(
      ["007", "--beta=1", "1e3", "--", "--json=true"],
      names,
    );
    assertEquals(words, ["007", "1e3", "--json=true"]);
    assertEquals(flags, { beta: "1" });
  });

  test(`parseFlags() of ${way} names what it does not know`, () => {
    for (
      const arg of ["--bata", "--bata=1", "--constructor=1", "-b", "-b=1", "--no-json", "--a.b=1"]
    ) {
      assertEquals(std!.parseFlags([arg], names).unknown, arg.split("=")[0]);
    }
  });

  test(`assert() of ${way} throws its message for what is false`, () => {
    const assert: (value: unknown, message?: string) => void = std!.assert;
    assert(1 > 0);
    assertEquals(thrownBy(() => assert(0, "no number")).message, "no number");
  });

  test(`assertEquals() of ${way} compares by value, type and NaN`, () => {
    std!.assertEquals({ a: [1, NaN], b: new Float32Array([1]) }, {
      a: [1, NaN],
      b: new Float32Array([1]),
    });
    const different: [unknown, unknown][] = [
      [1, 2],
      [1, "1"],
      [[1], [1, 2]],
      [{ a: 1 }, { a: 1, b: 2 }],
      [new Float32Array([1]), new Float64Array([1])],
      [new Error("a"), new UserError("a")],
      [null, undefined],
    ];
    for (const [a, b] of different) {
      assertEquals(thrownBy(() => std!.assertEquals(a, b)).name, "AssertionError");
    }
  });
}
