#include "cli/waiting_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "cli/context.hpp"
#include "cli/errors_as_json.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/say.hpp"
#include "cli/troubles.hpp"
#include "cli/wrap.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

std::size_t width() { return terminal_width(STDERR_FILENO); }

/// Names of so many nodes fit into a line.
constexpr std::size_t few_nodes = 5;
constexpr duration first_look = std::chrono::seconds(1);
/// Most waits are over by then.
constexpr duration first_look_unwatched = std::chrono::seconds(3);

bool on_terminal() { return ::isatty(STDERR_FILENO) == 1; }

/// What is to be said of it: nothing if it has been said already. Seconds in it that go on do not make it another.
std::string news(const std::optional<known_trouble>& t, std::string& told) {
  if (!t) return {};
  auto key = fmt::format("{} {} {}", t->kind, t->db, t->node ? number(*t->node) : ~0U);
  if (key == told) return {};
  told = std::move(key);
  return t->text;
}

}  // namespace

waiting_line::waiting_line(blocking_client& node, std::string what, pnn at, bool yields)
    : node_(node), what_(std::move(what)), at_(at), yields_(yields), since_(node.loop().now()) {
  lines_on_terminal += !yields_;
  if (on_terminal() || !prints_errors_as_json()) later();
}

waiting_line::~waiting_line() {
  lines_on_terminal -= !yields_;
  node_.loop().cancel(timer_);
  if (shown_) say("\r\033[K");
  std::fflush(stderr);
}

void waiting_line::later() {
  timer_ = node_.loop().after(on_terminal() ? first_look : first_look_unwatched, [this] { ask(); });
}

/// A ctdbd does not know the question, a node that hangs does not answer: that it is waited for is said all the same.
void waiting_line::ask() {
  node_.async().control<control::get_node_status>(
      at_, {}, std::chrono::seconds(1), [this, alive = std::weak_ptr(alive_)](const auto& r) {
        if (alive.expired()) return;
        if (!yields_ || lines_on_terminal == 0)
          show(r ? news(first_ill(std::string(r->value.value)), told_) : std::string());
        later();
      });
}

/// The line that counts is written over; what is wrong stays as a line of its own.
void waiting_line::show(const std::string& illness) {
  if (!on_terminal()) {
    if (!illness.empty()) print_error(what_ + " waits: " + illness);
    return;
  }
  shown_ = true;
  say("\r\033[K");
  if (!illness.empty()) say("{}\n", wrapped(what_ + ": " + wire::visible(illness), width(), 2));
  const auto ms = std::chrono::duration<double, std::milli>(node_.loop().now() - since_).count();
  say("{}",
      lines_of(fmt::format("{}: waits for {}{}", wire::visible(what_), awaited(), age_text(ms)),
               width() - 1)
          .front());
  std::fflush(stderr);
}

std::string waiting_line::awaited() const {
  const auto& late = node_.awaited();
  if (late.empty()) return {};
  if (late.size() > few_nodes) return fmt::format("{} nodes, ", late.size());
  std::string names;
  for (const pnn p : late) names += fmt::format("{}{}", names.empty() ? "" : ", ", number(p));
  return fmt::format("node{} {}, ", late.size() == 1 ? "" : "s", names);
}

waits_shown::waits_shown(blocking_client& node, std::string what)
    : node_(node), what_(std::move(what)) {
  node_.on_waits([this] { now_.emplace(node_, what_, pnn::current, true); },
                 [this] { now_.reset(); });
}

waits_shown::~waits_shown() { node_.on_waits({}, {}); }

}  // namespace floe::cli
