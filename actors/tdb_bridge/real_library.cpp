#include "actors/tdb_bridge/real_library.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace floe::bridge {

void* real_function(const char* name) {
  // by its name and not as the next in line: a program may have loaded it for one of its parts only
  static void* library = ::dlopen("libtdb.so.1", RTLD_NOW);
  void* found = library ? ::dlsym(library, name) : nullptr;
  if (found) return found;
  std::fprintf(stderr, "floe: no %s: %s\n", name, ::dlerror());
  std::abort();
}

}  // namespace floe::bridge
