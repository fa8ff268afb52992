import { join } from "node:path";
import { nativeFolder } from "../../lib/backend/native_library.ts";
import { placeOf } from "../../lib/setup/unpack_wheels.ts";
import { cudaRequirements, headers, pipDownload, wheelFor } from "../../lib/setup/wheels.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { testUnless } from "../test_unless.ts";

const nvidia = false;
const include = join(nativeFolder, "include");
const isUnpacked = await Deno.stat(include).then(() => true, () => false);

Deno.test("wheelFor() knows the wheel of each platform that has one with the C API", () => {
  const named = (machine: Parameters<typeof wheelFor>[0]) => {
    const wheel = wheelFor(machine);
    return wheel && [wheel.requirement, wheel.platforms[0], wheel.libraries[0]];
  };
  const [cc, dylib] = ["tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_cc.2.dylib"];
  assertEquals(
    [
      named({ os: "linux", arch: "x86_64", nvidia }),
      named({ os: "linux", arch: "x86_64", nvidia: true }),
      named({ os: "linux", arch: "aarch64", nvidia }),
      named({ os: "darwin", arch: "aarch64", nvidia }),
      named({ os: "darwin", arch: "x86_64", nvidia }),
      named({ os: "windows", arch: "x86_64", nvidia }),
    ],
    [
      ["tensorflow-cpu==2.21.0", "manylinux_2_27_x86_64", cc],
      ["tensorflow==2.21.0", "manylinux_2_27_x86_64", cc],
      ["tensorflow==2.21.0", "manylinux_2_27_aarch64", cc],
      ["tensorflow==2.21.0", "macosx_12_0_arm64", dylib],
      null,
      null,
    ],
  );
});

Deno.test("wheelFor() asks for CUDA's wheels only with an NVIDIA driver", () => {
  assert(wheelFor({ os: "linux", arch: "x86_64", nvidia: true })?.cuda);
  assertEquals(wheelFor({ os: "linux", arch: "x86_64", nvidia: false })?.cuda, undefined);
  assertEquals(wheelFor({ os: "darwin", arch: "aarch64", nvidia: true })?.cuda, undefined);
});

Deno.test("headers names 14 files", () => {
  assertEquals(headers.length, 14);
});

const notUnpacked = !isUnpacked && "TensorFlow's headers are not unpacked";
testUnless(notUnpacked, "headers are all that the binding includes, directly or not", async () => {
  for (const header of headers) {
    const text = await Deno.readTextFile(join(include, header));
    const included = [...text.matchAll(/^#include "(.+)"/gm)].map(([, name]) => name);
    for (const name of included) assert(headers.includes(name), `${header} includes ${name}`);
  }
});

Deno.test("cudaRequirements() reads the extra and-cuda alone", () => {
  const metadata = [
    "Name: tensorflow",
    "Requires-Dist: numpy>=1.26.0",
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"',
    'Requires-Dist: nvidia-other; extra == "else"',
  ].join("\n");
  assertEquals(cudaRequirements(metadata), [
    "nvidia-cublas-cu12<13.0,>=12.5.3.2",
    "nvidia-nccl-cu12<3.0,>=2.27.7",
  ]);
});

Deno.test("pipDownload() asks for a wheel of another Python, without its dependencies", () => {
  const args = pipDownload(["a==1"], { platforms: ["one", "two"], folder: "here" });
  assertEquals(args.slice(0, 3), ["-m", "pip", "download"]);
  assertEquals(args.at(-1), "a==1");
  const text = args.join(" ");
  for (const part of ["--no-deps", "--platform one --platform two", "--dest here"]) {
    assert(text.includes(part), text);
  }
});

Deno.test("placeOf() keeps libraries, headers and CUDA's libraries, and nothing else", () => {
  const cpu = wheelFor({ os: "linux", arch: "x86_64", nvidia: false })!;
  const gpu = wheelFor({ os: "linux", arch: "x86_64", nvidia: true })!;
  const cublas = "nvidia/cublas/lib/libcublas.so.12";
  assertEquals(placeOf("tensorflow/libtensorflow_cc.so.2", cpu), "lib/libtensorflow_cc.so.2");
  assertEquals(
    placeOf("tensorflow/include/tensorflow/c/c_api.h", cpu),
    "include/tensorflow/c/c_api.h",
  );
  assertEquals(placeOf("tensorflow/include/tensorflow/core/public/session.h", cpu), null);
  assertEquals(placeOf("tensorflow/python/eager/context.py", cpu), null);
  assertEquals(placeOf(cublas, cpu), null);
  assertEquals(placeOf(cublas, gpu), cublas);
  assertEquals(placeOf("nvidia/../../lib/x.so", gpu), null);
});
