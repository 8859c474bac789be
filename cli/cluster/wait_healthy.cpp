#include "cli/cluster/wait_healthy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "actors/net/network.hpp"
#include "cli/cluster/deleted_node.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/cluster_state.hpp"
#include "cli/socket_owner.hpp"
#include "cli/troubles.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

constexpr duration look_pause = std::chrono::milliseconds(50);
constexpr duration one_question = std::chrono::seconds(2);

std::string describe(const cluster_state& s) {
  if (auto why = first_illness(s.report); !why.empty()) return why;
  if (s.run != floe::runstate::running) return runstate_text(static_cast<std::uint64_t>(s.run));
  if (s.mode != recovery_mode::normal) return "recovery mode ACTIVE";
  for (const auto& n : s.nodes.nodes)
    if (n.flags != 0 && !(n.flags & node_flag::deleted))
      return fmt::format("node {} {}", number(n.pnn), node_flags_text(n.flags));
  return "OK";
}

/// Clients of all nodes on one loop, each asking again and again.
class observer {
 public:
  explicit observer(const local_cluster& c) {
    for (std::uint32_t i = 0; i < c.nodes; ++i) {
      nodes_.push_back(std::make_unique<node>(*loop_, *net_));
      auto& n = *nodes_.back();
      if (is_deleted(c, i)) {
        n.health = {.reachable = false, .healthy = true, .up = true, .text = "deleted"};
        n.asked = true;
        ++answers_;
        continue;
      }
      n.health.text = "starting";
      n.socket = c.socket(i);
      n.c.connect({.socket = n.socket,
                   .reconnect = true,
                   .reconnect_pause = look_pause,
                   .hello_timeout = one_question},
                  {.connected = [this, &n](pnn) { ask(n); },
                   .disconnected =
                       [this, &n](const client_error& e) {
                         n.health = {.text = e.code == client_errc::timed_out ? "does not answer"
                                             : is_forbidden(n.socket)
                                                 ? "may not be asked by this user"
                                                 : "starting"};
                         n.asked = true;
                         ++answers_;
                       }});
    }
  }

  bool run_until(const std::function<bool()>& done, duration limit) {
    return loop_->run_until(done, limit);
  }
  event_loop& loop() { return *loop_; }
  std::vector<node_health> all() const {
    std::vector<node_health> out;
    for (const auto& n : nodes_) out.push_back(n->health);
    return out;
  }
  std::size_t answers() const { return answers_; }
  bool everybody_answered() const {
    return std::ranges::all_of(nodes_, [](const auto& n) { return n->asked; });
  }

 private:
  struct node {
    node(event_loop& l, network& n) : c(l, n) {}
    client c;
    std::string socket;
    node_health health;
    bool asked = false;  ///< has said something, or that it is not there
  };

  void ask(node& n) {
    ask_cluster_health(n.c, pnn::current, one_question, [this, &n](const result<cluster_state>& s) {
      ++answers_;
      n.asked = true;
      if (s)
        n.health = {true,         s->healthy(), s->is_up(), number(s->map.generation),
                    describe(*s), s->report};
      else if (s.error().code == client_errc::timed_out)
        n.health = {.text = "does not answer"};
      if (n.c.connected())
        loop_->after(look_pause, [this, &n] {
          if (n.c.connected()) ask(n);
        });
    });
  }

  std::unique_ptr<event_loop> loop_ = event_loop::real();
  std::unique_ptr<network> net_ = socket_network(*loop_);
  std::vector<std::unique_ptr<node>> nodes_;
  std::size_t answers_ = 0;
};

/// Those that are deleted have no generation.
bool all_well(const std::vector<node_health>& all) {
  const auto first = std::ranges::find_if(all, [](const node_health& n) { return n.generation; });
  return first != all.end() && std::ranges::all_of(all, [&](const node_health& n) {
           return n.up && (n.generation == 0 || n.generation == first->generation);
         });
}

std::string what_is_wrong(const std::vector<node_health>& all) {
  const auto why = complaint_of(all).text;
  return why.empty() ? "the nodes do not agree about the generation" : why;
}

/// Each thing once, causes first.
std::vector<known_trouble> ill_ones(const std::vector<node_health>& all) {
  node_reports reports;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].report.empty()) reports[pnn{static_cast<std::uint32_t>(i)}] = all[i].report;
  if (reports.empty()) return {};
  auto found = in_fewer_words(troubles_in(reports, reports.begin()->first));
  std::erase_if(found, [](const known_trouble& t) { return !t.ill; });
  return found;
}

/// The first whose process has ended.
std::optional<std::uint32_t> dead_node(const std::vector<pid_t>& pids) {
  for (std::size_t i = 0; i < pids.size(); ++i)
    if (pids[i] != 0 && has_ended(pids[i])) return static_cast<std::uint32_t>(i);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> causes_of(const std::vector<node_health>& all) {
  std::vector<std::string> causes;
  for (const auto& t : ill_ones(all)) causes.push_back(with_age(t));
  return causes;
}

complaint complaint_of(const std::vector<node_health>& all) {
  complaint c;
  std::vector<std::string> parts;
  for (const auto& t : ill_ones(all)) {
    parts.push_back(with_age(t));
    c.about += fmt::format("{} {} {}, ", t.kind, t.db, t.node ? number(*t.node) : ~0U);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].up && !first_ill(all[i].report)) {
      parts.push_back(fmt::format("node {}: {}", i, all[i].text));
      c.about += parts.back() + ", ";
    }
  constexpr std::size_t most = 3;
  const auto more = parts.size() > most ? parts.size() - most : 0;
  parts.resize(parts.size() - more);
  c.text = fmt::format("{}", fmt::join(parts, "; ")) +
           (more ? fmt::format("; and {} more, which floe doctor lists", more) : "");
  return c;
}

std::vector<node_health> look_at_cluster(const local_cluster& c, duration patience) {
  observer o(c);
  o.run_until([&] { return o.answers() >= c.nodes && o.everybody_answered(); }, patience);
  return o.all();
}

std::expected<duration, wait_failure> wait_healthy(
    const local_cluster& c, const std::vector<pid_t>& pids, duration patience,
    const std::function<bool(const std::vector<node_health>&)>& progress) {
  observer o(c);
  const auto begin = o.loop().now();
  while (!all_well(o.all())) {
    if (o.loop().now() - begin >= patience)
      return std::unexpected(
          wait_failure{timed_out, "not healthy in time: " + what_is_wrong(o.all())});
    if (const auto dead = dead_node(pids))
      return std::unexpected(wait_failure{
          failed, fmt::format("node {} has ended: {}", *dead, last_line(c.start_log(*dead)))});
    const auto seen = o.answers();
    o.run_until([&] { return o.answers() != seen; }, std::chrono::milliseconds(200));
    if (progress && !progress(o.all())) return std::unexpected(wait_failure{failed, "given up"});
  }
  return o.loop().now() - begin;
}

}  // namespace floe::cli
