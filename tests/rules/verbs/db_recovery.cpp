/// db_recovery [nodes=0,1,2] [missed=1] [have=1] [leaves=1] [kind=PERSISTENT] [PLAN...]: the recovery of one database, not started.
/// copy1=76:complete:75+74 says how the copy of node 1 stands, lack=1:5 what a merge by difference leaves to it, ask=0
/// whose copies it needs. `missed` took no part in the last generation, `met` were with those who did in the last one of their own, `have` have the
/// database, `leaves` leave with this recovery; seen=76,60 are generations in which the leader was; PLAN are fields of db_plan (budget=25s).
/// Afterwards `start` starts it with this plan.
#include <algorithm>
#include <utility>

#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/db_recovery_machine.hpp"

namespace floe::rule_script {

bool db_recovery_machine::feed(words& event, std::string& out) {
  const auto preset = [&](auto& e) {
    if constexpr (requires { e.run; }) e.run = m.run();
    if constexpr (requires { e.phase; }) e.phase = m.phase();
    if constexpr (requires { e.plan; }) e.plan = plan;
  };
  const auto input = parse_event<db_input>(event, preset);
  if (!input) return false;
  put(*input, out);
  return true;
}

void db_recovery_machine::put(const db_input& e, std::string& out) {
  for (auto& o : m.step(e, now)) {
    out += describe(o) + "\n";
    pending.push_back(std::move(o));
  }
}

std::string db_recovery_machine::state() const {
  if (m.phase() == db_phase::idle) return "idle";
  std::string s = std::string(floe::name(m.phase())) + " run=" + std::to_string(number(m.run())) +
                  " try=" + std::to_string(m.attempt());
  if (!m.waiting_for().empty()) s += " waits for " + describe(m.waiting_for());
  if (!m.db_name().empty()) s += " db=" + m.db_name();
  s += " pulled=" + std::to_string(m.pulled()) + " merged=" + std::to_string(m.merged()) +
       " confirmed=" + std::to_string(m.confirmed());
  if (m.committed()) s += " committed";
  if (m.conflict()) s += " conflict";
  if (m.only_damaged()) s += " only_damaged";
  return s;
}

std::vector<std::string_view> db_recovery_machine::events() const {
  return event_names(static_cast<const db_input*>(nullptr));
}

void db_recovery_machine::answer(const db_effect::ask& a, pnn n, std::string& out) {
  db_event::answered good{.run = a.run, .phase = a.phase, .node = n};
  if (a.phase == db_phase::names) good.text = name;
  if (a.phase == db_phase::verify) good.number = 1;
  const auto sends = {db_phase::pull, db_phase::changes, db_phase::copies, db_phase::fill};
  if (std::ranges::find(sends, a.phase) != sends.end()) good.number = good.arrived = records;
  if (a.phase == db_phase::push_confirm) {
    const auto own = std::ranges::find(lack, n, &db_lack::node);
    good.number = m.by_difference() ? own == lack.end() ? 0 : own->records : to_push;
  }
  if (const auto c = copies.find(n); c != copies.end() && a.phase == db_phase::begin)
    good.copy = c->second;
  for (auto& other : others) {
    if (other.node != n || other.phase != a.phase || other.left == 0) continue;
    --other.left;
    switch (other.does) {
      case behaviour::kind::silent: return;
      case behaviour::kind::fails:
        now += other.takes;
        return put(db_event::failed{a.run, a.phase, n, other.cause, other.detail}, out);
      case behaviour::kind::answers:
        if (other.how.number != 0) good.number = other.how.number;
        if (other.how.copy) good.copy = other.how.copy;
        if (!other.how.text.empty()) good.text = other.how.text;
        good.whole = other.how.whole;
        good.past = other.how.past;
        break;
    }
  }
  put(good, out);
}

void db_recovery_machine::play_next(std::string& out) {
  const db_output o = std::move(pending.front());
  pending.pop_front();
  if (const auto* a = std::get_if<db_effect::ask>(&o))
    for (const pnn n : a->nodes) answer(*a, n, out);
  else if (const auto* g = std::get_if<db_effect::merge>(&o))
    put(db_event::merged{g->run, to_push, m.by_difference() ? lack : std::vector<db_lack>{}}, out);
  else if (const auto* c = std::get_if<db_effect::compare>(&o))
    put(db_event::compared{.run = c->run, .ask = ask, .too_many = too_many}, out);
  else if (const auto* p = std::get_if<db_effect::push>(&o))
    put(db_event::pushed{p->run}, out);
}

std::string db_recovery_machine::path() {
  std::string out, details;
  put(db_event::start{plan}, details);
  run_number run = m.run();
  while (!pending.empty()) {
    const auto& o = pending.front();
    const auto* a = std::get_if<db_effect::ask>(&o);
    if (a && a->run != std::exchange(run, a->run)) out.back() = '\n';  // another try
    if (a)
      out += std::string(floe::name(a->phase)) + "(" + describe(a->nodes) + ") ";
    else if (std::holds_alternative<db_effect::compare>(o))
      out += "compare ";
    else if (std::holds_alternative<db_effect::merge>(o))
      out += "merge ";
    else if (const auto* p = std::get_if<db_effect::push>(&o))
      out += "push(" + describe(p->nodes) + ") ";
    play_next(details);
  }
  return out + std::string(floe::name(m.phase()));
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto r = std::make_unique<db_recovery_machine>(w);
  std::vector<pnn> nodes{pnn{0}, pnn{1}, pnn{2}}, missed, met, seen, leave;
  if (auto v = said.option("nodes")) parse(*v, nodes);
  std::vector<pnn> have = nodes;
  if (auto v = said.option("missed")) parse(*v, missed);
  if (auto v = said.option("have")) parse(*v, have);
  if (auto v = said.option("met")) parse(*v, met);
  if (auto v = said.option("leaves")) parse(*v, leave);
  if (auto v = said.option("seen")) parse(*v, seen);
  const auto kind = parse_db_flags(said.option("kind").value_or(""));
  if (auto v = said.option("name")) r->name = *v;
  r->plan = {.db = db_id{0x7a19d84d},
             .gen = generation{77},
             .step_timeout = std::chrono::seconds(10),
             .budget = std::chrono::seconds(60)};
  if (auto v = said.option("lack")) parse(*v, r->lack);
  if (auto v = said.option("ask")) {
    r->too_many = *v == "too_many";
    if (!r->too_many) parse(*v, r->ask);
  }
  for (const pnn n : nodes) {
    const auto copy = said.option("copy" + std::to_string(number(n)));
    if (copy) parse(*copy, r->copies[n]);
    r->plan.participants.push_back(
        {.node = n,
         .took_part = std::ranges::find(missed, n) == missed.end(),
         .content = copy ? std::optional(r->copies[n].content) : std::nullopt,
         .met_members = std::ranges::find(met, n) != met.end(),
         .leaves = std::ranges::find(leave, n) != leave.end()});
    auto& was_in = r->plan.participants.back().was_in;
    if (auto v = said.option("seen" + std::to_string(number(n)))) {
      std::vector<pnn> all;
      parse(*v, all);
      for (const pnn g : all) was_in.push_back(generation{number(g)});
    }
  }
  for (const pnn n : have) r->plan.copies.push_back({n, kind});
  for (const pnn g : seen) r->plan.seen.push_back(generation{number(g)});
  take_fields(said, r->plan);
  for (auto& p : r->plan.participants)
    if (p.node == r->plan.leader) p.was_in = r->plan.seen;
  w.current = std::move(r);
  return w.current->state();
}

extern const verb db_recovery_verb{
    "db_recovery",
    "db_recovery [nodes=0,1,2] [missed=1] [met=1] [leaves=1] [seen=76,60] [seen1=76] "
    "[have=1] [kind=PERSISTENT] [PLAN=...]",
    run};

}  // namespace floe::rule_script
