/// The clients of a run, and its end.
#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/said.hpp"
#include "protocol/hash.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

/// Who was not answered in time does not know whether the database is there now.
bool may_be_there(const std::optional<result<db_id>>& got) {
  return !got || *got || got->error().code != client_errc::refused ||
         got->error().cause == failure_cause::timed_out;
}

/// Records that one client asks for at a time.
constexpr std::size_t window = 64;

}  // namespace

outcome drill_run::add_client(const std::string& name, std::size_t node) {
  if (!cluster_->responsive(node)) return failed_because(fmt::format("node {} does not run", node));
  auto made = std::make_unique<drill_client>(*this, name, node);
  if (!cluster_->run([&] { return made->connected(); }, 10s))
    return failed_because(fmt::format("{} cannot connect to node {}", name, node));
  clients_[name] = std::move(made);
  return {};
}

void drill_run::remove_client(const std::string& name) {
  clients_.erase(name);
  note("drill", name + " has ended");
}

void drill_run::add_workload(workload_options o) {
  workloads_.push_back(std::make_unique<workload>(*this, std::move(o), workloads_.size()));
}

outcome drill_run::quiet(duration limit) {
  for (auto& w : workloads_) w->stop();
  const bool ended = cluster_->run(
      [&] { return std::ranges::none_of(workloads_, [](const auto& w) { return w->busy(); }); },
      limit);
  if (ended) return {};
  return failed_because("an operation of the workload has not ended");
}

outcome drill_run::attach(const std::string& db, std::size_t node, db_kind kind) {
  if (!cluster_->run([&] { return observer(node).connected(); }, 10s))
    return failed_because(fmt::format("node {} takes no clients", node));
  std::optional<result<db_id>> got;
  floe::attach(observer(node).raw(), db, kind, 30s, [&](const result<db_id>& r) { got = r; });
  cluster_->run([&] { return got.has_value(); }, 40s);
  if (may_be_there(got) && kind != db_kind::volatile_db) {
    past.transactional.insert(db);
    if (kind == db_kind::replicated) past.replicated.insert(db);
  }
  if (!got) return failed_because(fmt::format("node {} does not answer", node));
  if (!*got)
    return failed_because(fmt::format("{} cannot be attached: {}", db, got->error().describe()));
  if (!cluster_->loop().is_simulated()) await_everywhere(db);
  dropped.erase(db);
  return {};
}

/// The other nodes hear of a new database a moment later, and refuse clients that are faster. In
/// simulation that moment is shorter than any client's way.
void drill_run::await_everywhere(const std::string& db) {
  constexpr duration longest = 2s, pause = 5ms;
  const auto end = cluster_->now() + longest;
  for (std::size_t n = 0; n < observers_.size(); ++n)
    while (cluster_->responsive(n) && observer(n).connected() && cluster_->now() < end) {
      const auto known = std::make_shared<std::optional<bool>>();
      find_database(observer(n).raw(), db, longest,
                    [known](const result<db_id>& r) { *known = r.has_value(); });
      cluster_->run([&] { return known->has_value(); }, longest);
      if (known->value_or(false)) break;
      cluster_->pass(pause);
    }
}

outcome drill_run::fill(const std::string& db, std::size_t records, std::size_t size) {
  std::vector<std::unique_ptr<drill_client>> hands;
  for (std::size_t n = 0; n < cluster_->size(); ++n)
    if (cluster_->responsive(n))
      hands.push_back(std::make_unique<drill_client>(*this, fmt::format("fill-{}", n), n));
  if (hands.empty()) return failed_because("no node runs");
  if (!cluster_->run(
          [&] { return std::ranges::all_of(hands, [](const auto& h) { return h->connected(); }); },
          10s))
    return failed_because("a node takes no clients");
  std::size_t next = 0, done = 0;
  std::string error;
  std::function<void(drill_client&)> one = [&](drill_client& c) {
    if (next == records) return;
    const auto key = fmt::format("r{}", next++);
    auto value = fmt::format("f{}-", ++filled_);
    if (value.size() < size) value.resize(size, '.');
    c.lock(db, key, 30s, [&, key, value](const operation& o, std::size_t) {
      if (o.result != op_end::done) return void(error = o.error);
      c.store(db, key, value, after_write::unlock, [&](const operation& w, std::size_t) {
        if (w.result != op_end::done) return void(error = w.error);
        ++done;
        one(c);
      });
    });
  };
  for (std::size_t i = 0; i < window; ++i)
    for (auto& h : hands) one(*h);
  cluster_->run([&] { return done == records || !error.empty(); }, 120s + records * 1ms);
  if (done == records) return {};
  return failed_because(fmt::format("{} of {} records were written: {}", done, records,
                                    error.empty() ? "too slow" : error));
}

// --- the end ---------------------------------------------------------------------------------------------------

/// Every node runs, is heard and may take part.
void drill_run::undo_faults() {
  heal();
  clients_.clear();
  for (std::size_t n = 0; n < cluster_->size(); ++n) {
    cluster_->mend_disk(n);
    past.cure(n, fault_kind::weak, now());
    if (cluster_->paused(n)) (void)resume(n);
    if (!cluster_->alive(n) && !deleted_nodes.contains(n)) (void)start(n);
  }
  cluster_->mend_lock();
  (void)hold({});
  for (const auto n : stopped_nodes) {
    past.cure(n, fault_kind::out, now());
    (void)order(n, control::continue_node, {});
  }
  // also those that have banned themselves, as they had no room for what a recovery brought
  for (std::size_t n = 0; n < cluster_->size(); ++n)
    if (!deleted_nodes.contains(n))
      (void)order(n, control::set_ban_state,
                  encode_request<control::set_ban_state>(
                      {.pnn = pnn{static_cast<std::uint32_t>(n)}, .time = 0}));
  for (const auto& [role, n] : roles_off) (void)order(n, role, wire::encode(std::uint32_t{1}));
  stopped_nodes.clear();
  banned_nodes.clear();
  roles_off.clear();
}

void drill_run::aftermath(duration bound) {
  note("drill", said::faults_over);
  for (auto& w : workloads_) w->stop();
  undo_faults();
  std::optional<std::string> why;
  seen.at_rest = wait_until([&] { return !(why = not_normal({})); }, bound);
  if (!seen.at_rest)
    seen.unrest = fmt::format("{} s after the last fault: {}", bound / 1s, why.value_or("?"));
  // 20 s for a lock, 30 s for any answer: whoever has not been answered then never will be
  cluster_->run(
      [&] { return std::ranges::none_of(workloads_, [](const auto& w) { return w->busy(); }); },
      60s);
  if (!seen.at_rest) return;
  // nodes are looked at one after the other: what is seen while a recovery goes on is no rest, and a record that one of them
  // cannot tell, or that moves, has no owner in it. So it is where two have the cluster lock, until the first one finds out.
  const auto end = now() + in_us(bound);
  for (;;) {
    const auto generation = resting_generation();
    final_looks();
    poll_nodes();
    if (generation && generation == resting_generation()) return;
    const auto left = std::chrono::microseconds(end - now());
    if (left <= duration{0} || !wait_until([&] { return !(why = not_normal({})); }, left)) break;
  }
  seen.at_rest = false;
  seen.unrest = fmt::format("{} s after the last fault recoveries go on: {}", bound / 1s,
                            why.value_or("each ends, and another one begins"));
}

/// Of all that can answer, while they are NORMAL.
std::optional<std::uint32_t> drill_run::resting_generation() {
  if (not_normal({})) return std::nullopt;
  for (std::size_t n = 0; n < reports_.size(); ++n)
    if (cluster_->responsive(n)) return reports_[n].generation;
  return std::nullopt;
}

/// Every record that was ever used, through every node, one node after the other; then what each
/// node has of it.
void drill_run::final_looks() {
  using records = std::vector<std::pair<std::string, std::string>>;
  std::set<std::pair<std::string, std::string>> used;
  for (const auto& o : past.ops)
    if (!o.key.empty() && !dropped.contains(o.db)) used.emplace(o.db, o.key);
  for (const auto& t : past.transactions) {
    for (const auto& [key, value] : t.writes) used.emplace(t.db, key);
    for (const auto& [key, value] : t.seen) used.emplace(t.db, key);
  }
  const auto all = std::make_shared<records>(used.begin(), used.end());
  struct walk {
    std::size_t next = 0, done = 0;
    std::function<void()> one;
  };
  for (std::size_t n = 0; n < cluster_->size(); ++n) {
    if (deleted_nodes.contains(n) || !cluster_->run([&] { return observer(n).connected(); }, 10s))
      continue;
    // answers may come after we have given up
    const auto w = std::make_shared<walk>();
    w->one = [this, all, n, weak = std::weak_ptr(w)] {
      const auto now = weak.lock();
      if (!now || now->next == all->size()) return;
      const auto& [db, key] = (*all)[now->next++];
      observer(n).read(
          db, key,
          [weak](const operation&, std::size_t) {
            if (const auto later = weak.lock()) {
              ++later->done;
              later->one();
            }
          },
          true);
    };
    for (std::size_t i = 0; i < window; ++i) w->one();
    cluster_->run([&] { return w->done == all->size(); }, 60s + all->size() * 1ms);
  }
  look_at_copies(*all);
  // A deleted record goes home, and is forgotten, while nodes are looked at one after the other. That is over soon; one that
  // nobody owns stays so, as nobody is left who would move it.
  for (int again = 0; again < 10; ++again) {
    if (one_owner_checker().check(past, seen).empty()) return;
    cluster_->run([] { return false; }, 200ms);
    look_at_copies(*all);
  }
}

/// What each node has of these records.
void drill_run::look_at_copies(const std::vector<std::pair<std::string, std::string>>& records) {
  seen.resting.clear();
  for (std::size_t n = 0; n < cluster_->size(); ++n) {
    if (deleted_nodes.contains(n)) continue;
    const auto done = std::make_shared<std::size_t>(0);
    for (const auto& [db, key] : records)
      observer(n).peek(db, key,
                       [this, n, done, db = db, key = key](const result<read_record_answer>& r) {
                         ++*done;
                         if (r && number(r->header.rsn) > 0 && !past.transactional.contains(db))
                           seen.resting.push_back(
                               {n, db, key, number(r->header.dmaster), number(r->header.rsn)});
                       });
    cluster_->run([&] { return *done == records.size(); }, 60s);
  }
}

}  // namespace floe::cli::drill
