#pragma once
/// One command at a time makes, grows, starts or ends the cluster of a directory: DIR/.lock, held by the process, gone
/// with it.
#include <expected>
#include <string>

#include "protocol/rules/time.hpp"

namespace floe::cli {

class directory_lock {
 public:
  /// Makes the directory if need be, and waits for another command there. The error names its process.
  static std::expected<directory_lock, std::string> take(const std::string& dir, duration patience);

  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&&) = delete;
  ~directory_lock();

 private:
  explicit directory_lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace floe::cli
