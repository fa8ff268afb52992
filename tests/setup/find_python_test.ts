import { findPython } from "../../lib/setup/find_python.ts";
import { wheelWay } from "../../lib/setup/wheel_way.ts";
import { assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";
import { noShell, withPath } from "./with_path.ts";
import { testUnless } from "../test_unless.ts";

const works = "exit 0", lacksPip = "exit 1";

testUnless(noShell, "findPython() takes the first of python3 and python that has pip", async () => {
  const find = (programs: Record<string, string>) => withPath(programs, () => findPython("try"));
  assertEquals(await find({ python3: works, python: works }), "python3");
  assertEquals(await find({ python: works }), "python");
  assertEquals(await find({ python3: lacksPip, python: works }), "python");
  const { message } = await userError(find({ python3: lacksPip }));
  assertEquals(message, "Cannot try: wanted python3 or python with pip, found neither");
});

testUnless(
  noShell,
  "wheelWay() says that it finds no Python to fetch TensorFlow with",
  async () => {
    const way = wheelWay({ os: "linux", arch: "x86_64", nvidia: false }, "nowhere");
    const { message } = await userError(withPath({}, () => way.plan(["download"])));
    const reason = "wanted python3 or python with pip, found neither";
    assertEquals(message, `Cannot fetch TensorFlow from PyPI: ${reason}`);
  },
);
