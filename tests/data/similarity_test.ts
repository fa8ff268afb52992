import { similarity } from "../../lib/data/similarity.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("similarity() is 1 - edits / characters of the longer, and 1 of two empty texts", () => {
  assertEquals(similarity("kitten", "sitting"), 1 - 3 / 7);
  assertEquals(similarity("", "abc"), 0);
  assertEquals(similarity("", ""), 1);
});
