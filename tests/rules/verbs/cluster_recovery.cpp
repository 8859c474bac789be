/// cluster_recovery [nodes=0,1,2] [PLAN...]: the recovery of the cluster by node 0, not started. Each node may lead and
/// track records, has generation 10, a map of all, and the databases 0x1 and 0x2. PLAN are fields of cluster_plan.
/// Afterwards `start` starts it with this plan.
#include <algorithm>

#include "protocol/constants.hpp"
#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/cluster_recovery_machine.hpp"

namespace floe::rule_script {

cluster_recovery_machine::cluster_recovery_machine(world& w, const std::vector<pnn>& all)
    : now(w.now) {
  using std::chrono::seconds;
  for (const pnn n : all)
    nodes[n] = {.capabilities = capability::recmaster | capability::lmaster | capability::features,
                .map = all};
  plan = {.epoch = recovery_epoch{5},
          .leader = pnn{0},
          .gen = generation{20},
          .connected = all,
          .step_timeout = seconds(30),
          .db_budget = seconds(90),
          .retry_pause = seconds(1)};
}

bool cluster_recovery_machine::feed(words& event, std::string& out) {
  const auto preset = [&](auto& e) {
    if constexpr (requires { e.epoch; }) e.epoch = m.epoch();
    if constexpr (requires { e.phase; }) e.phase = m.phase();
    if constexpr (requires { e.plan; }) e.plan = plan;
  };
  const auto input = parse_event<cluster_input>(event, preset);
  if (!input) return false;
  put(*input, out);
  return true;
}

void cluster_recovery_machine::put(const cluster_input& e, std::string& out) {
  for (auto& o : m.step(e, now)) {
    out += describe(o) + "\n";
    if (const auto* w = std::get_if<cluster_effect::wake>(&o)) alarms.push_back(*w);
    pending.push_back(std::move(o));
  }
}

std::string cluster_recovery_machine::state() const {
  if (m.phase() == cluster_phase::idle) return "idle";
  const auto of_database = [](cluster_recovery::db_state s) {
    switch (s) {
      case cluster_recovery::db_state::running: return "running";
      case cluster_recovery::db_state::held: return "held";
      case cluster_recovery::db_state::resting: return "resting";
      case cluster_recovery::db_state::done: return "done";
      case cluster_recovery::db_state::given_up: return "given_up";
      case cluster_recovery::db_state::failed: return "failed";
    }
    return "?";
  };
  std::string s(floe::name(m.phase()));
  if (!m.waiting_for().empty()) s += " waits for " + describe(m.waiting_for());
  s += " participants=" + describe(m.participants()) + " map=" + describe(m.slots());
  for (const auto& [id, d] : m.databases())
    s += " " + std::to_string(number(id)) + ":" + of_database(d.state);
  return s;
}

std::vector<std::string_view> cluster_recovery_machine::events() const {
  return event_names(static_cast<const cluster_input*>(nullptr));
}

void cluster_recovery_machine::answer(const cluster_effect::ask& a, pnn n, std::string& out) {
  for (auto& other : others) {
    if (other.node != n || other.phase != a.phase || other.left == 0) continue;
    --other.left;
    auto& has = nodes.at(n).databases;
    has.insert(has.end(), other.attaches.begin(), other.attaches.end());
    switch (other.does) {
      case cluster_behaviour::kind::silent: return;
      case cluster_behaviour::kind::gone: return put(cluster_event::node_gone{a.epoch, n}, out);
      case cluster_behaviour::kind::fails:
        return put(cluster_event::failed{a.epoch, a.phase, n, other.cause, other.detail}, out);
    }
  }
  const auto& x = nodes.at(n);
  if (a.phase == cluster_phase::survey)
    put(cluster_event::surveyed{a.epoch, n, x.flags, x.capabilities, x.gen, x.map}, out);
  else if (a.phase == cluster_phase::dbmaps)
    put(cluster_event::listed{a.epoch, n, x.databases}, out);
  else
    put(cluster_event::answered{a.epoch, a.phase, n}, out);
}

void cluster_recovery_machine::recover(const db_plan& p, std::string& out) {
  for (auto& e : ends) {
    if (e.db != p.db || e.left == 0) continue;
    --e.left;
    if (e.does == database_end::kind::goes_on) return;
    if (e.does == database_end::kind::held)
      return put(cluster_event::db_held{m.epoch(), p.db}, out);
    auto how = e.how;
    how.epoch = m.epoch();
    how.db = p.db;
    return put(how, out);
  }
  if (p.hold_after_freeze) return put(cluster_event::db_held{m.epoch(), p.db}, out);
  put(cluster_event::db_ended{.epoch = m.epoch(), .db = p.db, .good = true}, out);
}

void cluster_recovery_machine::play_next(std::string& out) {
  const cluster_output o = std::move(pending.front());
  pending.pop_front();
  if (const auto* a = std::get_if<cluster_effect::ask>(&o))
    for (const pnn n : a->nodes) answer(*a, n, out);
  else if (const auto* r = std::get_if<cluster_effect::recover>(&o))
    recover(r->plan, out);
  else if (const auto* l = std::get_if<cluster_effect::release>(&o))
    put(cluster_event::db_ended{.epoch = l->epoch, .db = l->db, .good = true}, out);
}

std::string cluster_recovery_machine::path() {
  std::string out, details;
  if (m.phase() == cluster_phase::idle) put(cluster_event::start{plan}, details);
  while (!pending.empty()) {
    const auto& o = pending.front();
    const auto db = [](db_id id) { return std::to_string(number(id)) + " "; };
    if (const auto* a = std::get_if<cluster_effect::ask>(&o))
      out += std::string(floe::name(a->phase)) + "(" + describe(a->nodes) + ") ";
    else if (const auto* r = std::get_if<cluster_effect::recover>(&o))
      out += "recover" + db(r->plan.db);
    else if (const auto* l = std::get_if<cluster_effect::release>(&o))
      out += "release" + db(l->db);
    else if (std::holds_alternative<cluster_effect::stop_databases>(o))
      out += "stop_databases ";
    else if (std::holds_alternative<cluster_effect::deadlock>(o))
      out += "deadlock ";
    else if (const auto* e = std::get_if<cluster_effect::ended>(&o))
      out += e->good ? "ended(good) " : "ended ";
    play_next(details);
  }
  return out + std::string(floe::name(m.phase()));
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  std::vector<pnn> nodes{pnn{0}, pnn{1}, pnn{2}};
  if (auto v = said.option("nodes")) parse(*v, nodes);
  auto r = std::make_unique<cluster_recovery_machine>(w, nodes);
  take_fields(said, r->plan);
  w.current = std::move(r);
  return w.current->state();
}

extern const verb cluster_recovery_verb{"cluster_recovery",
                                        "cluster_recovery [nodes=0,1,2] [PLAN=...]", run};

}  // namespace floe::rule_script
