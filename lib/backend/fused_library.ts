/**
 * The file that our own kernels are compiled into. Its name holds a hash of their sources (a test
 * computes it anew), so that a library of another version is not found instead of called wrongly:
 * then TensorFlow's kernels serve until `deno task setup` has run.
 */
export const FUSED_LIBRARY = "libfused-b207729a.so";
