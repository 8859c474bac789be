#include "actors/lock/cluster_lock.hpp"

namespace floe {

std::string wrong_lock_setting(const std::string& setting) {
  if (setting.empty()) return {};
  const bool command = setting.front() == '!';
  const auto from = setting.find_first_not_of(" \t", command ? 1 : 0);
  if (from == std::string::npos)
    return "names no command; ctdbd would start, and never get the lock";
  if (setting[from] == '/') return {};
  return command ? "the command must be an absolute path; ctdbd would start, and never get the lock"
                 : "must be an absolute path, or `!` and a command; ctdbd would take it from the "
                   "folder where it was started";
}

}  // namespace floe
