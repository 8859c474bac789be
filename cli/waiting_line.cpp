#include "cli/waiting_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "cli/wrap.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

std::size_t width() { return terminal_width(STDERR_FILENO); }

}  // namespace

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
        show(r ? first_cause(std::string(r->value.value)) : std::string());
        later();
      });
}

/// What is wrong stays as a line of its own, once; the one that counts is written over.
void waiting_line::show(const std::string& illness) {
  shown_ = true;
  fmt::print(stderr, "\r\033[K");
  if (!illness.empty() && illness != told_)
    fmt::print(stderr, "{}\n", wrapped(what_ + ": " + wire::visible(illness), width(), 2));
  if (!illness.empty()) told_ = illness;
  const auto ms = std::chrono::duration<double, std::milli>(node_.loop().now() - since_).count();
  fmt::print(
      stderr, "{}",
      lines_of(fmt::format("{}: waits for {}", wire::visible(what_), age_text(ms)), width() - 1)
          .front());
  std::fflush(stderr);
}

}  // namespace floe::cli
