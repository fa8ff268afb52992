import type { Machine } from "./machine.ts";

/** TensorFlow as PyPI holds it: libraries with the whole C API, and its headers. */
export type Wheel = {
  requirement: string;
  /** pip's names for the platform, the newest first. */
  platforms: string[];
  /** Shared libraries inside, by their paths there. */
  libraries: string[];
  downloadBytes: number;
  libraryBytes: number;
  /** The `nvidia-*` wheels that its extra "and-cuda" asks for, all together. */
  cuda?: { platforms: string[]; downloadBytes: number; libraryBytes: number };
};

export const tensorflowVersion = "2.21.0";

/** Where the wheel keeps its headers, and those among them that the binding includes. */
export const headerFolder = "tensorflow/include/";
export const headers: string[] = [
  ...["c_api", "c_api_macros", "tf_attrtype", "tf_buffer", "tf_datatype"],
  ...["tf_status", "tf_tensor", "tf_tstring", "eager/c_api"],
].map((name) => `tensorflow/c/${name}.h`).concat(
  ["tensorflow/core", "tsl"].flatMap((folder) => [
    `${folder}/platform/ctstring.h`,
    `${folder}/platform/ctstring_internal.h`,
  ]),
  "xla/tsl/c/tsl_status.h",
);

const elf = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
const machO = ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"];
const inPackage = (name: string) => `tensorflow/${name}`;

/** Which wheel fits, or null where PyPI has none with the C API. Sizes are those of its files. */
export function wheelFor({ os, arch, nvidia }: Machine): Wheel | null {
  if (os === "linux" && arch === "x86_64") return nvidia ? gpuWheel() : cpuWheel();
  if (os === "linux" && arch === "aarch64") {
    return {
      requirement: `tensorflow==${tensorflowVersion}`,
      platforms: ["manylinux_2_27_aarch64"],
      libraries: elf.map(inPackage),
      downloadBytes: 281_828_020,
      libraryBytes: 883_062_208,
    };
  }
  if (os === "darwin" && arch === "aarch64") {
    return {
      requirement: `tensorflow==${tensorflowVersion}`,
      platforms: ["macosx_12_0_arm64"],
      libraries: machO.map(inPackage),
      downloadBytes: 223_405_849,
      libraryBytes: 740_805_624,
    };
  }
  return null;
}

function cpuWheel(): Wheel {
  return {
    requirement: `tensorflow-cpu==${tensorflowVersion}`,
    platforms: ["manylinux_2_27_x86_64"],
    libraries: elf.map(inPackage),
    downloadBytes: 273_829_956,
    libraryBytes: 853_308_936,
  };
}

function gpuWheel(): Wheel {
  return {
    requirement: `tensorflow==${tensorflowVersion}`,
    platforms: ["manylinux_2_27_x86_64"],
    libraries: elf.map(inPackage),
    downloadBytes: 572_440_367,
    libraryBytes: 1_259_021_080,
    cuda: {
      platforms: ["manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
      downloadBytes: 2_806_642_481,
      libraryBytes: 4_298_508_104,
    },
  };
}

/** `nvidia-*` requirements out of the wheel's METADATA: the lines of its extra "and-cuda". */
export function cudaRequirements(metadata: string): string[] {
  return metadata.split("\n")
    .filter((line) => /^Requires-Dist: nvidia-.*extra == "and-cuda"/.test(line))
    .map((line) => line.slice("Requires-Dist: ".length).split(";")[0].trim());
}

/** What pip is asked for; any version of Python may ask, since nothing is installed into it. */
export function pipDownload(
  requirements: string[],
  { platforms, folder }: { platforms: string[]; folder: string },
): string[] {
  return [
    ...[
      "-m",
      "pip",
      "download",
      "--no-deps",
      "--only-binary=:all:",
      "--progress-bar=off",
      "--no-cache-dir",
    ],
    ...platforms.flatMap((platform) => ["--platform", platform]),
    ...["--python-version=311", "--implementation=cp", "--dest", folder],
    ...requirements,
  ];
}
