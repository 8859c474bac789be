#include "cli/waiting_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {

waiting_line::waiting_line(blocking_client& node, std::string what, pnn at)
    : node_(node), what_(std::move(what)), at_(at), since_(node.loop().now()) {
  if (::isatty(STDERR_FILENO) == 1) later();
}

waiting_line::~waiting_line() {
  node_.loop().cancel(timer_);
  if (shown_) fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
}

void waiting_line::later() {
  timer_ = node_.loop().after(std::chrono::seconds(1), [this] { ask(); });
}

/// A ctdbd does not know the question, a node that hangs does not answer: that it is waited for is said all the same.
void waiting_line::ask() {
  node_.async().control<control::get_node_status>(
      at_, {}, std::chrono::seconds(1), [this, alive = std::weak_ptr(alive_)](const auto& r) {
        if (alive.expired()) return;
        show(r ? first_illness(std::string(r->value.value)) : std::string());
        later();
      });
}

void waiting_line::show(const std::string& illness) {
  shown_ = true;
  const auto ms = std::chrono::duration<double, std::milli>(node_.loop().now() - since_).count();
  const auto line = fmt::format("{}: waits for {}{}{}", what_, age_text(ms),
                                illness.empty() ? "" : "; ", illness);
  fmt::print(stderr, "\r\033[K{}", wire::visible(line).substr(0, terminal_width() - 1));
  std::fflush(stderr);
}

}  // namespace floe::cli
