/// election [self=1] [lock] [priority=100] [cannot_lead] [inactive]: a node that has just started, of three, by vote or with a
/// cluster lock. `leader_heard from=0` is node 0's claim for itself. lock_answered and lock_lost are of the last try.
#include "tests/rules/verbs/election_machine.hpp"

#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"

namespace floe::rule_script {
namespace {

/// A claim says whose it is only if it is not the sender's own.
constexpr pnn the_sender{0xfffffffeU};

}  // namespace

bool election_machine::feed(words& event, std::string& out) {
  const auto preset = [&](auto& e) {
    if constexpr (requires { e.outcome; }) e.serial = lock_try;
    if constexpr (std::same_as<std::remove_cvref_t<decltype(e)>, election_event::lock_lost>)
      e.serial = lock_try;
    if constexpr (requires { e.leader; }) e.leader = the_sender;
  };
  auto input = parse_event<election_input>(event, preset);
  if (!input) return false;
  if (auto* heard = std::get_if<election_event::leader_heard>(&*input))
    if (heard->leader == the_sender) heard->leader = heard->from;
  put(*input, out);
  return true;
}

void election_machine::put(const election_input& e, std::string& out) {
  for (const auto& o : m.step(e)) {
    if (const auto* a = std::get_if<election_effect::arm>(&o)) armed[a->timer] = a->serial;
    if (const auto* l = std::get_if<election_effect::take_lock>(&o)) lock_try = l->serial;
    out += describe(o) + "\n";
  }
}

std::string election_machine::state() const {
  std::string s(floe::name(m.state()));
  s += m.leads()
           ? ", leads"
           : ", leader " + (m.leader() == pnn::unknown ? "?" : std::to_string(number(m.leader())));
  if (m.holds_lock()) s += ", holds the lock";
  return s + ", term " + std::to_string(m.term());
}

std::vector<std::string_view> election_machine::events() const {
  return event_names(static_cast<const election_input*>(nullptr));
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  pnn self{1};
  standing own{.can_lead = !said.flag("cannot_lead"), .priority = {100, 0}, .connected = 3};
  if (auto v = said.option("self")) parse(*v, self);
  if (auto v = said.option("priority")) parse(*v, own.priority);
  own.inactive = said.flag("inactive");
  auto made = std::make_unique<election_machine>(self, said.flag("lock"));
  std::string out;
  made->put(election_event::standing_changed{own}, out);
  made->put(election_event::start{}, out);
  w.current = std::move(made);
  return w.current->state();
}

extern const verb election_verb{
    "election", "election [self=1] [lock] [priority=100] [cannot_lead] [inactive]", run};

}  // namespace floe::rule_script
