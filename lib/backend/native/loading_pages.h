// Gives back the memory of what only loading has read of TensorFlow's libraries: tables of symbols and
// relocations, and the code that registers thousands of operations. Some 200 MB of their files stay
// mapped into memory otherwise, as long as the system doesn't need it.
#pragma once
#if defined(__linux__)
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <cstring>

namespace {

#if defined(__linux__)
// A part that can't be written is as its file has it, so a page that is read again comes back from
// there; in the others the loader has put addresses.
int dropFilePages(dl_phdr_info* library, size_t, void*) {
  if (std::strstr(library->dlpi_name, "libtensorflow") == nullptr) return 0;
  const uintptr_t page = sysconf(_SC_PAGESIZE);
  for (int i = 0; i < library->dlpi_phnum; i++) {
    const auto& part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const uintptr_t start = library->dlpi_addr + part.p_vaddr;
    const uintptr_t begin = (start + page - 1) / page * page;
    const uintptr_t end = (start + part.p_memsz) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

void dropLoadingPages() { dl_iterate_phdr(dropFilePages, nullptr); }
#else
void dropLoadingPages() {}
#endif

}  // namespace
