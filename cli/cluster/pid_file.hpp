#pragma once
/// The file that says which process runs a node, and holds it for as long as it lives: the lock
/// goes with the process, so a file that was left behind by a killed node fools nobody. (ctdbd
/// locks its pid file the same way.)
#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

namespace floe::cli {

class pid_file {
 public:
  /// Writes our pid and keeps the lock. The error names the process that has it.
  static std::expected<pid_file, std::string> take(const std::string& path);
  /// The process that holds it now.
  static std::optional<pid_t> holder(const std::string& path);

  pid_file(pid_file&&) noexcept;
  pid_file& operator=(pid_file&&) = delete;
  ~pid_file();  ///< removes it

 private:
  pid_file(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

}  // namespace floe::cli
