// libtdb's own numbers.
#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <tdb.h>

namespace theirs {
#include "tests/bridge/abi_list.hpp"
}

std::vector<std::pair<std::string, long>> abi_of_libtdb() { return theirs::abi_list(); }
