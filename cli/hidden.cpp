#include "cli/hidden.hpp"

#include <string_view>

#include "actors/lock/lock_guard.hpp"
#include "cli/cluster/processes.hpp"

namespace floe::cli {
namespace {
constexpr const char* guard_word = "cluster-lock-guard";
}

std::optional<int> run_hidden(int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view word = argv[1];
  if (word == guard_word) return lock_guard(argc - 2, argv + 2);
  return std::nullopt;
}

std::vector<std::string> lock_guard_command() { return {own_program(), guard_word}; }

}  // namespace floe::cli
