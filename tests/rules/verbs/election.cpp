/// election [self=1] [lock] [priority=100] [cannot_lead] [only_floe] [outnumbered]: the elections of that node, by vote or with a cluster lock; it has
/// just started. A timer fires with the serial number that it was armed with last (`fired timer=lock_again`), the lock answers
/// to the last try, and a claim is the sender's own (`leader_heard from=0`), unless a script says otherwise.
#include <array>

#include "protocol/rules/describe.hpp"
#include "protocol/rules/election.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

constexpr pnn the_sender{0xfffffffeU};

struct election_machine final : machine {
  election_machine(pnn self, const standing& own, bool with_lock) : e(self, {}, with_lock) {
    std::string nothing_said;
    put(election_event::standing_changed{own}, nothing_said);
    put(election_event::start{}, nothing_said);
  }
  bool feed(words& event, std::string& out) override;
  std::string state() const override;
  std::vector<std::string_view> events() const override {
    return event_names(static_cast<const election_input*>(nullptr));
  }
  void put(const election_input&, std::string& out);

  election e;
  std::array<std::uint64_t, 5> armed{};
  std::uint64_t last_try = 0;
};

bool election_machine::feed(words& event, std::string& out) {
  // a story names the timer; its serial number is not known to it
  auto input = parse_event<election_input>(event, [&](auto& x) {
    using event_type = std::remove_cvref_t<decltype(x)>;
    if constexpr (std::is_same_v<event_type, election_event::lock_answered> ||
                  std::is_same_v<event_type, election_event::lock_lost>)
      x.serial = last_try;
    if constexpr (std::is_same_v<event_type, election_event::leader_heard>) x.leader = the_sender;
  });
  if (!input) return false;
  if (auto* f = std::get_if<election_event::fired>(&*input); f && f->serial == 0)
    f->serial = armed[static_cast<std::size_t>(f->timer)];
  if (auto* h = std::get_if<election_event::leader_heard>(&*input); h && h->leader == the_sender)
    h->leader = h->from;
  put(*input, out);
  return true;
}

void election_machine::put(const election_input& input, std::string& out) {
  for (const auto& o : e.step(input)) {
    if (auto* a = std::get_if<election_effect::arm>(&o))
      armed[static_cast<std::size_t>(a->timer)] = a->serial;
    if (auto* t = std::get_if<election_effect::take_lock>(&o)) last_try = t->serial;
    out += describe(o) + "\n";
  }
}

std::string election_machine::state() const {
  std::string s(floe::name(e.state()));
  s += e.leader() == pnn::unknown ? ": nobody leads"
                                  : ": node " + std::to_string(number(e.leader())) + " leads";
  s += ", term " + std::to_string(e.term());
  if (e.holds_lock()) s += ", with the lock";
  return s;
}

}  // namespace

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  pnn self{1};
  standing own{.can_lead = !said.flag("cannot_lead"),
               .priority = {100, 0},
               .connected = 3,
               .only_floe = said.flag("only_floe"),
               .outnumbered = said.flag("outnumbered")};
  if (auto v = said.option("self")) parse(*v, self);
  if (auto v = said.option("priority")) parse(*v, own.priority);
  w.current = std::make_unique<election_machine>(self, own, said.flag("lock"));
  return w.current->state();
}

extern const verb election_verb{
    "election", "election [self=1] [lock] [priority=100] [cannot_lead] [only_floe] [outnumbered]",
    run};

}  // namespace floe::rule_script
