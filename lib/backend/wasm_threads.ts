/** What a thread is started with. */
export type ThreadStart = {
  code: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: Int32Array<SharedArrayBuffer>;
  /** Where in memory it may lay things down that are its own. */
  room: number;
};

/** Does one part of a job, which is some whole numbers. */
export type RunPart = (job: Int32Array, part: number) => void;

/** Numbers that all threads see: jobs so far, parts that nobody has taken, parts done, the job. */
const JOBS = 0, LEFT = 1, DONE = 2, JOB = 3, SIZE = 32;

/** Makes the numbers by which threads agree on who does what. */
export function makeControl(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(SIZE * Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Runs all parts of a job, on this thread and on those that are free, and returns when all are done.
 * A thread that has not yet started, or is slow to wake, finds nothing left and is not waited for.
 */
export function runShared(
  control: Int32Array,
  { job, parts }: { job: number[]; parts: number },
  run: RunPart,
): void {
  control.set(job, JOB); // nobody reads it: no part is left to be taken
  Atomics.store(control, DONE, 0);
  Atomics.store(control, LEFT, parts);
  Atomics.add(control, JOBS, 1);
  Atomics.notify(control, JOBS);
  takeParts(control, run);
  for (let done; (done = Atomics.load(control, DONE)) < parts;) Atomics.wait(control, DONE, done);
}

/** What a thread does all its life. */
export function serve(control: Int32Array, run: RunPart): never {
  for (let seen = 0;;) {
    Atomics.wait(control, JOBS, seen);
    seen = Atomics.load(control, JOBS);
    takeParts(control, run);
  }
}

function takeParts(control: Int32Array, run: RunPart): void {
  const job = control.subarray(JOB);
  for (let part; (part = Atomics.sub(control, LEFT, 1) - 1) >= 0;) {
    run(job, part);
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}
