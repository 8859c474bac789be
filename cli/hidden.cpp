#include "cli/hidden.hpp"

#include <string_view>

#include "actors/lock/lock_guard.hpp"
#include "cli/cluster/processes.hpp"
#include "storage/health.hpp"

namespace floe::cli {
namespace {
constexpr const char* guard_word = "cluster-lock-guard";
constexpr const char* check_word = "check-database-file";
}  // namespace

std::optional<int> run_hidden(int argc, char** argv) {
  if (argc < 2) return std::nullopt;
  const std::string_view word = argv[1];
  if (word == guard_word) return lock_guard(argc - 2, argv + 2);
  if (word == check_word && argc == 3) return health_child(argv[2]);
  return std::nullopt;
}

std::vector<std::string> lock_guard_command() { return {own_program(), guard_word}; }
std::vector<std::string> file_check_command() { return {own_program(), check_word}; }

}  // namespace floe::cli
