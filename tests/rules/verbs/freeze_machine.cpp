/// freeze_machine [STATE] [tid=N] [wiped] [pushing] [records_invalid]: a database in that state, thawed where nothing
/// is said. Its events change it only where they are not refused.
#include "tests/rules/verbs/freeze_machine.hpp"

#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"

namespace floe::rule_script {

bool freeze_machine::feed(words& event, std::string& out) {
  const auto input = parse_event<freeze_input>(event, [](auto&) {});
  if (!input) return false;
  const auto s = step(now, *input);
  out = describe(s);
  if (s.refused != freeze_refusal::none && s.next != now) throw mistake("refused, and yet changed");
  if ((s.next.state == freeze_state::in_transaction) != (s.next.tid != generation::invalid))
    throw mistake("a transaction is open exactly in its state: not here");
  now = s.next;
  return true;
}

std::string freeze_machine::state() const { return describe(now); }

std::vector<std::string_view> freeze_machine::events() const {
  return event_names(static_cast<const freeze_input*>(nullptr));
}

freeze_status parse_freeze_status(words& w) {
  freeze_status s;
  if (auto state = w.next()) parse(*state, s.state);
  take_fields(w, s);
  return s;
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto m = std::make_unique<freeze_machine>();
  m->now = parse_freeze_status(said);
  w.current = std::move(m);
  return w.current->state();
}

extern const verb freeze_machine_verb{
    "freeze_machine", "freeze_machine [STATE] [tid=N] [wiped] [pushing] [records_invalid]", run};

}  // namespace floe::rule_script
