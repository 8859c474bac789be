/// The cluster of a run and what is done to it. Clients, workloads and the end of a run are in
/// drill_run_clients.cpp; what operators do in drill_run_operators.cpp.
#include "cli/drill/run/drill_run.hpp"

#include "cli/drill/language/line_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "actors/events.hpp"
#include "cli/drill/run/said.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

/// The options of GET_NODE_STATUS; a node that does not know them says everything.
constexpr std::string_view brief_report = R"({"brief":true})";

std::uint32_t word_at(const bytes& packet, std::size_t offset) {
  std::uint32_t n = 0;
  std::memcpy(&n, packet.data() + offset, sizeof n);
  return n;
}

}  // namespace

drill_run::drill_run(std::unique_ptr<testbed> g, std::uint64_t seed, trace_sink trace)
    : trace_(std::move(trace)),
      chance_(seed * 2'862'933'555'777'941'757ULL + 3'037'000'493ULL),
      logs_(
          seen, [this](std::size_t n) { return may_be_banned(n); },
          [this](std::size_t n, bool handed_over) { past.left(n, handed_over, now()); }),
      cluster_(std::move(g)),
      reports_(cluster_->size()) {
  cluster_->set_witness(
      {.log =
           [this](std::int64_t us, std::size_t node, log_level level, std::string_view line) {
             // a ctdbd tells when it begins to freeze, not from when on it serves nobody
             if (cluster_->kind(node) == node_kind::floe) logs_.line(us, node, line);
             lost_behind_bad_link(node, line);
             if (on_log) on_log(node, line);
             if (trace_) note_at(us, fmt::format("node {} {}", node, to_string(level)), line);
           },
       .client_packet = [this](std::string_view to, std::uint64_t stream,
                               const bytes& packet) { tap(to, stream, packet); }});
}

outcome drill_run::open() {
  for (std::size_t n = 0; n < reports_.size(); ++n)
    if (auto up = cluster_->start(n); !up) return up;
  for (std::size_t n = 0; n < reports_.size(); ++n) observe(n);
  return {};
}

void drill_run::observe(std::size_t n) {
  observers_.push_back(std::make_unique<drill_client>(*this, fmt::format("observer-{}", n), n));
  probes_.push_back(cluster_->kind(n) == node_kind::ctdbd
                        ? std::make_unique<ctdbd_probe>(observers_[n]->raw())
                        : nullptr);
}

drill_run::~drill_run() {
  trace_ = nullptr;
  workloads_.clear();
  clients_.clear();
  probes_.clear();
  observers_.clear();
}

void drill_run::note_at(time_us t, std::string_view who, std::string_view text) {
  if (trace_) trace_(fmt::format("{:>12.6f} {}: {}", static_cast<double>(t) / 1e6, who, text));
}

/// Pairs the questions of clients with the answers of nodes, packet by packet.
void drill_run::tap(std::string_view to, std::uint64_t stream, const bytes& packet) {
  constexpr std::size_t header = 32, operation_at = 16, request_at = 28;
  if (packet.size() < header) return;
  const auto op = static_cast<floe::operation>(word_at(packet, operation_at));
  const std::pair key{stream, word_at(packet, request_at)};
  if (op == floe::operation::req_call || op == floe::operation::req_control) {
    questions_[key] = 1;
  } else if (op == floe::operation::reply_call || op == floe::operation::reply_error ||
             op == floe::operation::reply_control) {
    ++seen.answers;
    if (questions_.erase(key) == 0)
      seen.answered_twice.push_back(fmt::format("{} got an answer too many to request {} at {}", to,
                                                key.second, at_text(now())));
  }
}

// --- looking ---------------------------------------------------------------------------------------------------

void drill_run::poll_nodes() {
  const auto round = ++poll_round_;
  const auto missing = std::make_shared<std::size_t>(0);
  for (std::size_t n = 0; n < reports_.size(); ++n) {
    reports_[n].fresh = false;
    if (!cluster_->responsive(n) || n >= observers_.size() || !observer(n).connected()) continue;
    ++*missing;
    if (probes_[n]) {
      probes_[n]->ask(2s, [this, n, round, missing](std::optional<node_report> l) {
        if (round != poll_round_) return;
        --*missing;
        if (l) reports_[n] = std::move(*l);
      });
      continue;
    }
    observer(n).raw().control<control::get_node_status>(
        pnn::current, {brief_report}, 2s,
        [this, n, round, missing](const result<client_answer<wire::string>>& r) {
          if (round != poll_round_) return;
          --*missing;
          if (!r) return;
          if (auto l = read_node_report(r->value.value)) reports_[n] = std::move(*l);
        });
  }
  cluster_->run([&] { return *missing == 0; }, 500ms);
}

std::vector<std::string> drill_run::full_reports() {
  struct answers {
    std::size_t missing = 0;
    std::vector<std::string> texts;
  };
  const auto all = std::make_shared<answers>();
  for (std::size_t n = 0; n < reports_.size(); ++n) {
    if (!cluster_->responsive(n) || n >= observers_.size() || probes_[n]) continue;
    if (!observer(n).connected()) continue;
    ++all->missing;
    observer(n).raw().control<control::get_node_status>(
        pnn::current, {}, 2s, [all](const result<client_answer<wire::string>>& r) {
          --all->missing;
          if (r) all->texts.emplace_back(r->value.value);
        });
  }
  cluster_->run([&] { return all->missing == 0; }, 2s);
  return all->texts;
}

std::optional<std::size_t> drill_run::leader() const {
  std::map<std::size_t, std::size_t> votes;
  for (const auto& l : reports_)
    if (l.fresh && l.leader && *l.leader < reports_.size()) ++votes[*l.leader];
  if (votes.empty()) return std::nullopt;
  return std::ranges::max_element(votes, {}, [](const auto& v) { return v.second; })->first;
}

std::optional<std::string> drill_run::not_normal(const std::vector<std::size_t>& wanted) {
  const auto out = node_flag::banned | node_flag::stopped;
  std::vector<std::size_t> those;
  for (std::size_t n = 0; n < reports_.size(); ++n) {
    const bool asked =
        wanted.empty() ? cluster_->responsive(n) : std::ranges::find(wanted, n) != wanted.end();
    if (!asked) continue;
    const auto& l = reports_[n];
    if (!l.fresh) return fmt::format("node {} does not answer", n);
    if (!(l.flags_of(n) & out)) those.push_back(n);
  }
  std::optional<std::uint32_t> generation;
  for (const auto n : those) {
    const auto& l = reports_[n];
    if (!l.running) return fmt::format("node {} is not RUNNING yet", n);
    if (!l.normal_mode) return fmt::format("node {} is in recovery mode ACTIVE", n);
    if (!l.leader || *l.leader >= reports_.size())
      return fmt::format("node {} knows of no leader", n);
    for (const auto& d : l.databases) {
      if (d.state != "thawed") return fmt::format("{} is {} on node {}", d.name, d.state, n);
      if (d.generation != l.generation)
        return fmt::format("{} has not been recovered on node {}", d.name, n);
    }
    for (std::size_t other = 0; other < reports_.size(); ++other) {
      if (deleted_nodes.contains(other)) continue;
      const bool gone = l.flags_of(other) & node_flag::disconnected;
      const bool there = wanted.empty() ? cluster_->responsive(other)
                                        : std::ranges::find(wanted, other) != wanted.end();
      if (gone && there) return fmt::format("node {} is not connected to node {}", n, other);
      if (!gone && !there && wanted.empty())
        return fmt::format("node {} has not noticed that node {} is away", n, other);
    }
    if (generation && *generation != l.generation)
      return fmt::format("node {} is in another generation", n);
    generation = l.generation;
  }
  if (those.empty()) return "no node is active";
  if (wanted.empty())
    for (const auto n : those) past.calm(n, now());
  return std::nullopt;
}

bool drill_run::wait_until(const std::function<bool()>& done, duration limit) {
  const auto end = cluster_->now() + limit;
  for (duration step = 2ms;; step = std::min<duration>(step * 5 / 4, 50ms)) {
    poll_nodes();
    if (done()) return true;
    if (cluster_->now() >= end) return false;
    cluster_->pass(std::min<duration>(step, end - cluster_->now()));
  }
}

// --- faults ----------------------------------------------------------------------------------------------------

void drill_run::disturb(std::size_t n, std::string_view what, fault_kind how) {
  past.disturb(n, now(), std::string(what), how);
  note("drill", fmt::format("node {} is {}", n, what));
}

/// A node whose disk is bad is banned for a fault of its own.
bool drill_run::may_be_banned(std::size_t n) const {
  return bans_allowed || banned_nodes.contains(n) ||
         std::ranges::any_of(past.disturbances, [&](const disturbance& d) {
           return d.node == n && d.how == fault_kind::weak;
         });
}

void drill_run::set_link(std::size_t a, std::size_t b, const link_quality& q) {
  cluster_->set_link(a, b, q);
  cluster_->set_link(b, a, q);
  bad_links_.insert({a, b});
  bad_links_.insert({b, a});
}

void drill_run::lost_behind_bad_link(std::size_t by, std::string_view line) {
  if (bad_links_.empty()) return;
  const auto said = parse_event(line);
  if (!said) return;
  const auto down = as<event::node_down>(*said);
  if (!down) return;
  const std::size_t other = number(down->pnn);
  if (!bad_links_.contains({by, other})) return;
  const auto already = [&](std::size_t n) {
    return std::ranges::any_of(past.disturbances, [&](const disturbance& d) {
      return d.node == n && d.dark() && d.to == never;
    });
  };
  for (const auto n : {by, other})
    if (!already(n)) disturb(n, "taken for lost behind a bad link", fault_kind::cut);
}

/// The smaller side is out. Of equal sides nobody knows which; with a cluster lock it is the one that
/// cannot have the lock, however large it is.
void drill_run::disturb_sides(const std::vector<std::size_t>& side) {
  const auto size = reports_.size() - deleted_nodes.size();
  const auto event = ++cuts_;
  for (std::size_t n = 0; n < reports_.size(); ++n) {
    if (deleted_nodes.contains(n)) continue;
    const bool here = std::ranges::find(side, n) != side.end();
    const auto mine = here ? side.size() : size - side.size();
    if ((!past.cluster_lock || past.majority) && 2 * mine > size) continue;
    past.disturb(n, now(), "cut off", fault_kind::cut, event, here ? 1 : 2);
    note("drill", fmt::format("node {} is cut off", n));
  }
}

outcome drill_run::start(std::size_t n) {
  if (cluster_->alive(n)) return failed_because(fmt::format("node {} runs already", n));
  note("drill", fmt::format("node {} {}", n, said::starts));
  past.cure(n, fault_kind::lost, now());
  return cluster_->start(n);
}

outcome drill_run::kill(std::size_t n) {
  if (!cluster_->alive(n)) return failed_because(fmt::format("node {} does not run", n));
  disturb(n, said::killed, fault_kind::lost);
  cluster_->kill(n);
  logs_.gone(now(), n);
  return {};
}

outcome drill_run::shut_down(std::size_t n) {
  if (!cluster_->responsive(n)) return failed_because(fmt::format("node {} does not run", n));
  disturb(n, said::shut_down, fault_kind::lost);
  past.disturbances.back().orderly = true;
  const bool ended = cluster_->shut_down(n, 30s);
  past.ended(n, now());
  logs_.gone(now(), n);
  if (!ended) return failed_because(fmt::format("node {} did not end within 30 s", n));
  return {};
}

outcome drill_run::pause(std::size_t n) {
  if (!cluster_->responsive(n)) return failed_because(fmt::format("node {} does not run", n));
  disturb(n, said::paused, fault_kind::paused);
  cluster_->pause(n);
  return {};
}

outcome drill_run::resume(std::size_t n) {
  if (!cluster_->paused(n)) return failed_because(fmt::format("node {} is not paused", n));
  note("drill", fmt::format("node {} {}", n, said::goes_on));
  past.cure(n, fault_kind::paused, now());
  cluster_->resume(n);
  return {};
}

void drill_run::heal() {
  note("drill", said::network_whole);
  cluster_->heal();
  bad_links_.clear();
  for (std::size_t n = 0; n < reports_.size(); ++n) past.cure(n, fault_kind::cut, now());
}

outcome drill_run::order(std::size_t n, control what, const bytes& request) {
  if (!cluster_->responsive(n)) return failed_because(fmt::format("node {} does not run", n));
  if (!cluster_->run([&] { return observer(n).connected(); }, 10s))
    return failed_because(fmt::format("node {} takes no clients", n));
  std::optional<std::string> error;
  bool answered = false;
  observer(n).raw().send_control(pnn::current, what, request, 20s,
                                 [&](const result<client_reply>& r) {
                                   answered = true;
                                   if (!r) error = r.error().describe();
                                 });
  if (!cluster_->run([&] { return answered; }, 30s))
    return failed_because(fmt::format("node {} does not answer", n));
  if (error)
    return failed_because(fmt::format("node {} refused {}: {}", n, control_name(what), *error));
  return {};
}

outcome drill_run::ask_leader(std::size_t n, bool whole, bool verify) {
  if (!cluster_->responsive(n)) return failed_because(fmt::format("node {} does not run", n));
  if (!cluster_->run([&] { return observer(n).connected(); }, 10s))
    return failed_because(fmt::format("node {} takes no clients", n));
  auto& c = observer(n).raw();
  c.send_message(pnn::broadcast_connected,
                 nth(message::floe_recover, (whole ? 1U : 0U) | (verify ? 2U : 0U)),
                 wire::encode(srvid_message{.pnn = c.self(), .srvid = srvid{0}}));
  return {};
}

/// All of them are told, also if one refuses: a node that does not answer yet must not keep the others held.
outcome drill_run::hold(const std::string& phase) {
  outcome all;
  for (std::size_t n = 0; n < reports_.size(); ++n) {
    if (!cluster_->responsive(n) || cluster_->kind(n) != node_kind::floe) continue;
    auto done = order(n, control::set_hold_phase, encode_request<control::set_hold_phase>({phase}));
    if (!done && all) all = std::move(done);
  }
  return all;
}

}  // namespace floe::cli::drill
