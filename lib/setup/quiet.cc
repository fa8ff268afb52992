// Keeps stderr still while TensorFlow loads: its libraries print before they read
// TF_CPP_MIN_LOG_LEVEL. Compiled by `deno task setup`, called by native_library.ts.
#include <fcntl.h>
#include <unistd.h>

extern "C" int hold_stderr() {
  int kept = dup(STDERR_FILENO);
  int sink = open("/dev/null", O_WRONLY);
  dup2(sink, STDERR_FILENO);
  close(sink);
  return kept;
}

extern "C" void release_stderr(int kept) {
  dup2(kept, STDERR_FILENO);
  close(kept);
}
