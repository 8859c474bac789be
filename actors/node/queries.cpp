/// What a node tells about itself: numbers, tunables, and the JSON reports behind `floe status`, `locks`, `timeline`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "actors/hex.hpp"
#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/statistics.hpp"
#include "protocol/types/tunable_value.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using nlohmann::json;
using std::chrono::seconds;

/// Not a tunable with that name: what ctdbd answers (EINVAL).
constexpr std::int32_t no_such_tunable = -22;
constexpr std::int32_t tunable_is_obsolete = 1;
constexpr std::size_t history_length = 100;

timeval as_timeval(std::int64_t us) { return {us / 1'000'000, us % 1'000'000}; }
std::uint32_t u32(std::uint64_t n) { return static_cast<std::uint32_t>(n); }

latency as_latency(const latency_counter& c) {
  return {.num = static_cast<std::int32_t>(c.num), .min = c.min, .max = c.max, .total = c.total};
}

std::uint32_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  in >> total >> resident;
  return u32(std::min<std::uint64_t>(resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), UINT32_MAX));
}

json report_json(const database_report& r, bool locks) {
  json j{{"id", fmt::format("{:#010x}", number(r.id))},
         {"name", r.name},
         {"path", r.path},
         {"kind", r.kind == db_kind::volatile_db ? "volatile" : r.kind == db_kind::persistent ? "persistent" : "replicated"},
         {"generation", number(r.gen)},
         {"damage", r.damage.empty() ? json() : json(r.damage)},
         {"state", std::string(name(r.state))},
         {"state_age_ms", r.state_age_ms},
         {"records", r.records},
         {"migrations_pending", r.migrations_pending},
         {"migrations_done", r.migrations_done},
         {"migrations_resent", r.migrations_resent},
         {"sequence", r.sequence}};
  if (r.kind == db_kind::volatile_db)
    j["vacuum"] = {{"queued", r.vacuum.queued},
                   {"oldest_ms", r.vacuum.oldest_ms},
                   {"running_ms", r.vacuum.running_ms < 0 ? json() : json(r.vacuum.running_ms)},
                   {"runs", r.vacuum.runs},
                   {"forgotten", r.vacuum.forgotten},
                   {"sent_home", r.vacuum.sent_home},
                   {"refused", r.vacuum.refused},
                   {"compactions", r.vacuum.compactions},
                   {"last_run_s", r.vacuum.last_run_seconds},
                   {"last_run_forgotten", r.vacuum.last_run_forgotten}};
  if (!r.commit.empty()) j["commit"] = {{"state", r.commit}, {"age_ms", r.commit_age_ms}};
  if (!locks) return j;
  j["holders"] = json::array();
  for (const auto& h : r.holders)
    j["holders"].push_back({{"key", to_hex(h.key)}, {"client", h.client}, {"pid", h.pid}, {"name", h.name}, {"age_ms", h.age_ms}});
  j["waiters"] = json::array();
  for (const auto& w : r.waiters)
    j["waiters"].push_back({{"key", to_hex(w.key)}, {"client", w.client}, {"pid", w.pid}, {"name", w.name},
                            {"node", number(w.node)}, {"age_ms", w.age_ms}, {"why", w.why}});
  return j;
}

bytes json_reply(const json& j) {
  // names of processes are not always UTF-8
  return wire::encode(wire::string{j.dump(-1, ' ', false, json::error_handler_t::replace)});
}

floe::statistics read_counters(const counters& c) {
  floe::statistics s;
  s.num_clients = c.num_clients;
  s.client_packets_sent = u32(c.client_packets_sent);
  s.client_packets_recv = u32(c.client_packets_recv);
  s.node_packets_sent = u32(c.node_packets_sent);
  s.node_packets_recv = u32(c.node_packets_recv);
  s.keepalive_packets_sent = u32(c.keepalive_packets_sent);
  s.keepalive_packets_recv = u32(c.keepalive_packets_recv);
  const auto op = [](const auto& ops, std::size_t i) { return u32(ops[i]); };
  s.node_req_call = op(c.node_ops, 0);
  s.node_reply_call = op(c.node_ops, 1);
  s.node_req_dmaster = op(c.node_ops, 2);
  s.node_reply_dmaster = op(c.node_ops, 3);
  s.node_reply_error = op(c.node_ops, 4);
  s.node_req_message = op(c.node_ops, 5);
  s.node_req_control = op(c.node_ops, 6);
  s.node_reply_control = op(c.node_ops, 7);
  s.node_req_tunnel = op(c.node_ops, 9);
  s.client_req_call = op(c.client_ops, 0);
  s.client_req_message = op(c.client_ops, 5);
  s.client_req_control = op(c.client_ops, 6);
  s.client_req_tunnel = op(c.client_ops, 9);
  s.timeouts_call = u32(c.call_timeouts);
  s.timeouts_control = u32(c.control_timeouts);
  s.timeouts_traverse = u32(c.traverse_timeouts);
  s.locks_num_calls = u32(c.locks_granted + c.locks_failed);
  s.locks_num_current = u32(c.locks_held);
  s.locks_num_failed = u32(c.locks_failed);
  s.locks_latency = as_latency(c.lock_latency);
  s.locks_buckets = c.lock_buckets;
  s.total_calls = u32(c.total_calls);
  s.pending_calls = u32(c.pending_calls);
  s.max_hop_count = u32(c.max_hops);
  s.hop_count_bucket = c.hop_buckets;
  s.call_latency = as_latency(c.call_latency);
  s.num_recoveries = c.num_recoveries;
  return s;
}

}  // namespace

void node::ping(const control_request& r) {
  r.answer.status(static_cast<std::int32_t>(clients_.size()));
}
void node::get_pnn(const control_request& r) { r.answer.status(static_cast<std::int32_t>(number(env_.self))); }
void node::get_pid(const control_request& r) { r.answer.status(static_cast<std::int32_t>(::getpid())); }
void node::get_debug(const control_request& r) { r.answer.good(wire::encode(env_.log.level())); }
void node::set_debug(const control_request& r) {
  auto level = wire::decode<std::int32_t>(r.data);
  if (!level) return r.answer.fail();
  env_.log.set_level(*level);
  r.answer.good();
}
void node::uptime(const control_request& r) {
  r.answer.good(wire::encode(floe::uptime{.current_time = as_timeval(env_.loop.wall_us()),
                                          .ctdbd_start_time = as_timeval(started_us_),
                                          .last_recovery_started = as_timeval(recovery_started_us_),
                                          .last_recovery_finished = as_timeval(recovery_finished_us_)}));
}
void node::get_runstate(const control_request& r) {
  r.answer.good(wire::encode(static_cast<std::uint32_t>(view_->run)));
}
void node::echo(const control_request& r) { r.answer.good(bytes(r.data)); }
void node::shutdown(const control_request& r) {
  r.answer.good();
  self().tell(stop_node{});
}
/// Lists of things this node never has: interfaces, public addresses.
void node::empty_list(const control_request& r) { r.answer.good(wire::encode(std::uint32_t{0})); }
void node::dump_memory(const control_request& r) {
  r.answer.good(fmt::format("resident {} bytes, {} clients, {} databases, {} controls outstanding\n",
                            resident_bytes(), clients_.size(), databases_.size(), calls_.size()));
}

/// The counters as they are now; what only the databases know is left out.
floe::statistics node::own_statistics() const {
  auto s = read_counters(env_.count);
  s.memory_used = resident_bytes();
  s.recovering = view_->mode == recovery_mode::active;
  s.frozen = !databases_.empty() && std::ranges::all_of(databases_, [](const auto& d) {
    return d.second.state != freeze_state::thawed;
  });
  s.statistics_start_time = as_timeval(statistics_since_us_);
  s.statistics_current_time = as_timeval(env_.loop.wall_us());
  return s;
}

void node::statistics_control(const control_request& r) {
  gather(false, [s = own_statistics(), answer = r.answer](const std::vector<database_report>& all) mutable {
    for (const auto& d : all) s.locks_num_pending += u32(d.locks_waiting);
    answer.good(wire::encode(s));
  });
}

/// One snapshot per StatHistoryInterval.
void node::keep_statistics() {
  const auto interval = seconds(std::max(1U, tunables_[tunable::stat_history_interval]));
  if (env_.loop.now() < next_snapshot_) return;
  next_snapshot_ = env_.loop.now() + interval;
  history_.push_front(own_statistics());
  if (history_.size() > history_length) history_.pop_back();
}

void node::statistics_reset(const control_request& r) {
  const auto clients = env_.count.num_clients;
  const auto held = env_.count.locks_held;
  const auto pending = env_.count.pending_calls;
  env_.count = counters{};
  env_.count.num_clients = clients;
  env_.count.locks_held = held;
  env_.count.pending_calls = pending;
  statistics_since_us_ = env_.loop.wall_us();
  r.answer.good();
}

void node::stat_history(const control_request& r) {
  statistics_list list;
  list.stats.assign(history_.begin(), history_.end());
  list.stats.resize(history_length);
  r.answer.good(wire::encode(list));
}

// --- tunables --------------------------------------------------------------------------------------------------

void node::list_tunables(const control_request& r) {
  const bytes names = tunable_names();
  r.answer.good(wire::encode(var_list{.list = names}));
}

void node::get_tunable(const control_request& r) {
  auto n = wire::decode<tunable_name>(r.data);
  auto value = n ? tunables_.get(n->name) : std::nullopt;
  if (!value) return r.answer.status(no_such_tunable);
  r.answer.good(wire::encode(*value));
}

void node::set_tunable(const control_request& r) {
  auto t = wire::decode<tunable_set>(r.data);
  const auto* info = t ? find_tunable(t->name) : nullptr;
  if (!info) return r.answer.fail("no such tunable");
  tunables_.set(t->name, t->value);
  env_.log.notice(fmt::format("tunable-set name={} value={}", info->name, t->value));
  apply_tunables();
  if (info->obsolete) return r.answer.status(tunable_is_obsolete);
  r.answer.good();
}

void node::get_all_tunables(const control_request& r) { r.answer.good(wire::encode(tunables_)); }

void node::apply_tunables() {
  const link_tune to_links{
      .keepalive = {.interval = seconds(std::max(1U, tunables_[tunable::keepalive_interval])),
                    .limit = std::max(1U, tunables_[tunable::keepalive_limit]),
                    .quick_interval = std::chrono::milliseconds(tunables_[tunable::floe_keepalive_ms]),
                    .quick_limit = std::chrono::milliseconds(tunables_[tunable::floe_keepalive_limit_ms])},
      .allow_mixed_versions = tunables_[tunable::allow_mixed_versions] != 0};
  for (const auto& n : view_->nodes) n.link.tell(to_links);
  for (const auto& [id, d] : databases_) {
    d.to.tell(holder_rules());
    d.to.tell(database_settings());
  }
  leader_.tell(leader_tunables{tunables_});
}

// --- reports as JSON -------------------------------------------------------------------------------------------

void node::gather(bool locks, std::function<void(std::vector<database_report>)> done) {
  // shared by all that are asked: `done` may hold a report of all databases, and there may be thousands
  struct gathering {
    std::vector<database_report> all;
    std::size_t left = 0;
    std::function<void(std::vector<database_report>)> done;
  };
  const auto g = std::make_shared<gathering>();
  for (auto& [id, d] : databases_) g->left += d.open;
  if (g->left == 0) return done({});
  g->done = std::move(done);
  for (auto& [id, d] : databases_)
    if (d.open)
      d.to.tell(db_inspect{locks, [g](database_report r) {
                             g->all.push_back(std::move(r));
                             if (--g->left == 0) g->done(std::move(g->all));
                           }});
}

void node::get_locks(const control_request& r) {
  gather(true, [answer = r.answer, self = env_.self](const std::vector<database_report>& all) {
    json j{{"node", number(self)}, {"databases", json::array()}};
    for (const auto& d : all) j["databases"].push_back(report_json(d, true));
    answer.good(json_reply(j));
  });
}

void node::get_timeline(const control_request& r) {
  auto options = wire::decode<wire::string>(r.data);
  const auto wanted = json::parse(options && !options->value.empty() ? options->value : "{}", nullptr, false);
  std::int64_t since = 0;
  if (wanted.is_object() && wanted.contains("since_us") && wanted["since_us"].is_number_integer())
    since = wanted["since_us"].get<std::int64_t>();
  json events = json::array();
  for (const auto& e : timeline_) {
    if (e.wall_us < since) continue;
    const auto d = databases_.find(e.db);
    events.push_back({{"t_us", e.wall_us}, {"event", e.event}, {"db", d == databases_.end() ? "" : d->second.name},
                      {"detail", e.detail}});
  }
  r.answer.good(json_reply({{"node", number(env_.self)}, {"events", std::move(events)}}));
}

void node::get_node_status(const control_request& r) {
  json j{{"node", number(env_.self)},
         {"pid", ::getpid()},
         {"address", to_string(config_.nodes[number(env_.self)].where)},
         {"runstate", std::string(runstate_text(static_cast<std::uint64_t>(view_->run)))},
         {"recovery_mode", view_->mode == recovery_mode::normal ? "NORMAL" : "RECOVERY"},
         {"recovery_mode_age_ms",
          std::chrono::duration_cast<std::chrono::milliseconds>(env_.loop.now() - mode_since_).count()},
         {"generation", number(view_->gen)},
         {"started_us", started_us_},
         {"now_us", env_.loop.wall_us()},
         {"clients", clients_.size()},
         {"num_recoveries", env_.count.num_recoveries}};
  j["leader"] = view_->leader == pnn::unknown ? json() : json(number(view_->leader));
  j["vnn_map"] = json::array();
  for (pnn p : view_->map) j["vnn_map"].push_back(number(p));
  j["nodes"] = json::array();
  for (std::size_t i = 0; i < view_->nodes.size(); ++i)
    j["nodes"].push_back({{"pnn", i}, {"address", view_->nodes[i].where.ip}, {"port", view_->nodes[i].where.port},
                          {"flags", view_->nodes[i].flags}, {"state", std::string(node_flags_text(view_->nodes[i].flags))}});
  j["recovery"] = progress_.empty() ? json() : json::parse(progress_, nullptr, false);
  j["cluster_lock"] = json::parse(cluster_lock_json(), nullptr, false);
  j["warnings"] = json::array();
  if (lacks_cluster_lock()) j["warnings"].push_back(no_cluster_lock_warning);
  for (const auto& [id, d] : databases_)
    if (!d.damage.empty()) j["warnings"].push_back(fmt::format("{} is not whole: {}", d.name, d.damage));
  for (const auto& [id, d] : databases_)
    if (!d.dispute.empty())
      j["warnings"].push_back(fmt::format("{} is out of use, its nodes disagree: {}", d.name, d.dispute));
  for (const auto& [p, why] : refused_) j["warnings"].push_back(fmt::format("node {} is kept out: {}", number(p), why));
  j["ban"] = json();
  if (ban_)
    j["ban"] = {{"cause", std::string(name(ban_->cause))}, {"why", ban_->why}, {"by", number(ban_->by)},
                {"since_us", ban_->since_us}, {"seconds", ban_->seconds}};
  gather(true, [j = std::move(j), answer = r.answer](const std::vector<database_report>& all) mutable {
    j["databases"] = json::array();
    for (const auto& d : all) {
      j["databases"].push_back(report_json(d, true));
      if (d.commit_age_ms >= 1000)
        j["warnings"].push_back(
            fmt::format("{}: a transaction {}, since {:.1f} s", d.name, d.commit, static_cast<double>(d.commit_age_ms) / 1000));
    }
    answer.good(json_reply(j));
  });
}

void node::set_hold_phase(const control_request& r) {
  auto text = wire::decode<wire::string>(r.data);
  if (!text) return r.answer.fail();
  leader_.tell(leader_hold{std::string(text->value)});
  r.answer.good();
}

}  // namespace floe
