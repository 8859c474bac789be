/// election [self=1] [lock]: the elections of that node, which can lead, with a cluster lock or by vote. A timer fires with
/// the serial number that it was armed with last (`fired timer=lock_again`), and the lock answers to the last try, unless a
/// script says otherwise.
#include <array>

#include "protocol/rules/describe.hpp"
#include "protocol/rules/election.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

struct election_machine final : machine {
  election_machine(pnn self, bool with_lock) : e(self, {}, with_lock) {
    e.step(
        election_event::standing_changed{{.can_lead = true, .priority = {100, 0}, .connected = 3}});
  }
  bool feed(words& event, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override {
    return event_names(static_cast<const election_input*>(nullptr));
  }

  election e;
  std::array<std::uint64_t, 5> armed{};
  std::uint64_t last_try = 0;
};

bool election_machine::feed(words& event, std::string& out) {
  // a story names the timer; its serial number is not known to it
  auto input = parse_event<election_input>(event, [&](auto& x) {
    if constexpr (requires { x.outcome; } ||
                  std::is_same_v<std::remove_cvref_t<decltype(x)>, election_event::lock_lost>)
      x.serial = last_try;
  });
  if (!input) return false;
  if (auto* f = std::get_if<election_event::fired>(&*input); f && f->serial == 0)
    f->serial = armed[static_cast<std::size_t>(f->timer)];
  for (const auto& o : e.step(*input)) {
    if (auto* a = std::get_if<election_effect::arm>(&o))
      armed[static_cast<std::size_t>(a->timer)] = a->serial;
    if (auto* t = std::get_if<election_effect::take_lock>(&o)) last_try = t->serial;
    out += describe(o) + "\n";
  }
  return true;
}

std::string election_machine::state() const {
  std::string s(floe::name(e.state()));
  s += e.leader() == pnn::unknown ? ": nobody leads"
                                  : ": node " + std::to_string(number(e.leader())) + " leads";
  if (e.leads()) s += ", term " + std::to_string(e.term());
  if (e.holds_lock()) s += ", with the lock";
  return s;
}

}  // namespace

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  pnn self{1};
  if (auto v = said.option("self")) parse(*v, self);
  w.current = std::make_unique<election_machine>(self, said.flag("lock"));
  return w.current->state();
}

extern const verb election_verb{"election", "election [self=1] [lock]", run};

}  // namespace floe::rule_script
