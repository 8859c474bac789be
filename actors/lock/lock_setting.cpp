#include "actors/lock/cluster_lock.hpp"

namespace floe {

std::string wrong_lock_setting(const std::string& setting) {
  if (setting.empty()) return {};
  const bool command = setting.front() == '!';
  const auto from = setting.find_first_not_of(" \t", command ? 1 : 0);
  if (from == std::string::npos) return "names no command";
  if (setting[from] == '/') return {};
  return command ? "the command must be an absolute path"
                 : "must be an absolute path, or `!` and a command";
}

}  // namespace floe
