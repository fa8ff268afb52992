import { FUSED_LIBRARY } from "../../lib/backend/fused_library.ts";
import { nativeSourceHash } from "../../lib/setup/compile_binding.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("FUSED_LIBRARY is named after the kernels' sources", () => {
  assertEquals(FUSED_LIBRARY, `libfused-${nativeSourceHash().slice(0, 8)}.so`);
});
