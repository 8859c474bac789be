#pragma once
/// Lines from a descriptor on the event loop: pipes and terminals as they come, files and /dev/null
/// (which cannot be waited for) at once.
#include <functional>
#include <string>

#include "actors/runtime/event_loop.hpp"

namespace floe::cli {

class line_input {
 public:
  /// `line` for each, without its newline; `end` once, after the last. Both run on the loop.
  line_input(event_loop&, int fd, std::function<void(std::string)> line, std::function<void()> end);
  ~line_input();
  line_input(const line_input&) = delete;

 private:
  void read_some();
  void stop();

  event_loop& loop_;
  int fd_;
  std::function<void(std::string)> line_;
  std::function<void()> end_;
  bool watched_ = false;
  bool ended_ = false;
  std::string rest_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

/// Whether epoll can wait for it.
bool can_wait_for(int fd);

}  // namespace floe::cli
