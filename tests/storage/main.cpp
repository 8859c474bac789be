#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstring>

#include "tests/storage/support.hpp"

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--child") == 0)
    return floe::test::run_child({argv + 2, argv + argc});
  return doctest::Context(argc, argv).run();
}
