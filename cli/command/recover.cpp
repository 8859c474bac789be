/// floe recover: asks for a recovery and waits for its end.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "actors/client/recovery_wait.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

/// What keeps the recovery from ending, by all who can be asked.
std::string reason(blocking_client& node, pnn at) {
  const duration patience = std::chrono::seconds(1);
  const auto map = node.control<control::get_nodemap>(at, {}, patience);
  if (!map) return {};
  std::string all;
  for (const auto& t : troubles_in(ask_reports(node, reachable(map->value), patience), at))
    if (t.ill) all += (all.empty() ? "" : "; ") + with_age(t);
  return all;
}

int fail_with_reason(context& c, pnn at, client_error e) {
  if (const auto why = reason(**c.node(), at); !why.empty())
    e.text += (e.text.empty() ? "" : "; ") + why;
  return c.fail("recover", e);
}

/// On a terminal, while it lasts: one line, written over and over.
class waiting_line {
 public:
  waiting_line(blocking_client& node, pnn at) : node_(node), at_(at) {
    if (::isatty(STDERR_FILENO) == 1) later();
  }
  ~waiting_line() {
    node_.loop().cancel(timer_);
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  waiting_line(const waiting_line&) = delete;

 private:
  void later() {
    timer_ = node_.loop().after(std::chrono::seconds(2), [this, alive = std::weak_ptr(alive_)] {
      node_.async().control<control::get_node_status>(
          at_, {}, std::chrono::seconds(1), [this, alive](const auto& r) {
            if (alive.expired()) return;
            if (r) show(first_illness(std::string(r->value.value)));
            later();
          });
    });
  }
  void show(const std::string& why) {
    if (why.empty()) return;
    shown_ = true;
    fmt::print(stderr, "\r\033[K{}", why.substr(0, terminal_width() - 1));
  }

  blocking_client& node_;
  pnn at_;
  timer_id timer_{0};
  bool shown_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

int run(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto before = (*node)->control<control::getvnnmap>(*at, {}, c.patience());
  if (!before) return c.fail("recover", before.error());
  const auto begin = (*node)->loop().now();
  const auto asked =
      (*node)->control<control::set_recmode>(*at, recovery_mode::active, c.patience());
  if (!asked) return c.fail("recover", asked.error());
  const auto end = [&] {
    waiting_line shown(**node, *at);
    return (*node)->wait<recovered_state>([&](auto finished) {
      wait_recovered((*node)->async(), *at, before->value.generation, c.long_patience(), finished);
    });
  }();
  if (!end) return fail_with_reason(c, *at, end.error());
  const double ms =
      std::chrono::duration<double, std::milli>((*node)->loop().now() - begin).count();
  if (c.options.json) {
    auto j = open_json("recover");
    j.number("generation", number(end->generation));
    j.real("ms", ms);
    print_json(std::move(j));
  } else {
    print(fmt::format("recovered in {}, generation {}\n", age_text(ms), number(end->generation)));
  }
  return done;
}

}  // namespace

command recover_command() {
  return {.name = "recover",
          .group = "Cluster",
          .summary = "start a recovery and wait for its end",
          .example = "floe --base DIR recover -t 30",
          .run = run};
}

}  // namespace floe::cli
