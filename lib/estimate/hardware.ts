/** A machine that people train on, by its maker's data sheet. */
export type Hardware = {
  name: string;
  /** GiB of memory that a model can have there. */
  memoryGib: number;
  /** Published peak of float32 arithmetic, in TFLOP/s. */
  peakTflops: number;
};

/**
 * Share of the published peak that a step is figured to reach. On processors it reaches half and more
 * of what a plain product does; graphics cards were not measured.
 */
const FIGURED_SHARE = 0.3;
/** Kernels of a layer, forwards and backwards, and what starting one takes on a graphics card. */
const KERNELS = 150, START_SECONDS = 10e-6;

/** What arithmetic takes on a machine, and starting the kernels of so many passes through a layer. */
export function figuredSeconds(
  { peakTflops }: Hardware,
  { flops, passes }: { flops: number; passes: number },
): number {
  return flops / (FIGURED_SHARE * 1e12 * peakTflops) + passes * KERNELS * START_SECONDS;
}

/** The machines of the guide's table: makers' data sheets, float32 without tensor cores. */
export const HARDWARE: readonly Hardware[] = [
  { name: "NVIDIA A100 40 GB", memoryGib: 40, peakTflops: 19.5 },
  { name: "NVIDIA V100 32 GB", memoryGib: 32, peakTflops: 15.7 },
  { name: "NVIDIA RTX 4090 24 GB", memoryGib: 24, peakTflops: 82.6 },
  { name: "NVIDIA RTX 3090 24 GB", memoryGib: 24, peakTflops: 35.6 },
  { name: "Apple M2 16 GB", memoryGib: 16, peakTflops: 3.6 },
  { name: "Apple M1 16 GB", memoryGib: 16, peakTflops: 2.6 },
];
