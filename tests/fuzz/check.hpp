#pragma once
/// A broken property ends the fuzzer, which then keeps the input.
#include <cstdio>
#include <cstdlib>

#define FUZZ_CHECK(what)                                                             \
  do {                                                                               \
    if (!(what)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
      std::abort();                                                                  \
    }                                                                                \
  } while (false)
