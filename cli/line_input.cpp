#include "cli/line_input.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

namespace floe::cli {

bool can_wait_for(int fd) {
  const int trial = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event e{};
  const bool can = ::epoll_ctl(trial, EPOLL_CTL_ADD, fd, &e) == 0;
  ::close(trial);
  return can;
}

line_input::line_input(event_loop& loop, int fd, std::function<void(std::string)> line,
                       std::function<void()> end)
    : loop_(loop), fd_(fd), line_(std::move(line)), end_(std::move(end)) {
  if (can_wait_for(fd_)) {
    watched_ = true;
    loop_.watch(fd_, EPOLLIN, [this](std::uint32_t) { read_some(); });
    return;
  }
  loop_.post([this, alive = std::weak_ptr(alive_)] {
    while (alive.lock() && !ended_) read_some();
    if (alive.lock())
      loop_.after(duration{0}, [] {});  // whoever waits for the end looks after the loop has waited
  });
}

line_input::~line_input() { stop(); }

void line_input::stop() {
  if (watched_) loop_.unwatch(fd_);
  watched_ = false;
  ended_ = true;
}

void line_input::read_some() {
  char buffer[65536];
  const auto n = ::read(fd_, buffer, sizeof buffer);
  if (n > 0) {
    rest_.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      line_(rest_.substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    return;
  }
  stop();
  if (!rest_.empty()) line_(std::exchange(rest_, {}));
  end_();
}

}  // namespace floe::cli
