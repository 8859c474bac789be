#pragma once
/// Descriptors that close themselves, and the two ends of a Unix socket. Errors are texts.
#include <expected>
#include <string>
#include <utility>

namespace floe::cli {

class file_descriptor {
 public:
  explicit file_descriptor(int fd = -1) : fd_(fd) {}
  ~file_descriptor();
  file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// A socket that nobody listens on any more is replaced; anything else at the path is an error.
std::expected<file_descriptor, std::string> listen_on(const std::string& path);
/// Non-blocking once connected.
std::expected<file_descriptor, std::string> connect_to(const std::string& path);
/// "ctdb, pid 123" of the process at the other end.
std::string peer_text(int fd);

}  // namespace floe::cli
