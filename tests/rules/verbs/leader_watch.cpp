/// leader_watch [nodes=3] [self=0] [levels=0]: the watch of that node over so many, which are all well: generation 77, map of
/// all, each sees all, all of that feature level. It follows until `office_won`.
#include "tests/rules/verbs/leader_watch_machine.hpp"

#include "protocol/constants.hpp"
#include "protocol/rules/describe.hpp"
#include "protocol/rules/feature_level.hpp"
#include "tests/rules/script/event_parser.hpp"

namespace floe::rule_script {

leader_watch_machine::leader_watch_machine(world& w, pnn self, std::size_t count,
                                           std::uint32_t level)
    : in(w), m(self, recovery_epoch{0}) {
  std::vector<pnn> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(pnn{static_cast<std::uint32_t>(i)});
  for (const pnn n : all)
    nodes[n] = {.node = n,
                .flags = 0U,
                .others = std::vector<std::uint32_t>(count, 0U),
                .mode = recovery_mode::normal,
                .gen = generation{77},
                .map = all,
                .capabilities = capabilities_with_level(
                    capability::features | capability::recmaster | capability::lmaster, level)};
}

bool leader_watch_machine::feed(words& event, std::string& out) {
  const auto preset = [&](auto& e) {
    if constexpr (requires { e.epoch; }) e.epoch = m.epoch();
  };
  const auto input = parse_event<watch_input>(event, preset);
  if (!input) return false;
  put(*input, out);
  return true;
}

void leader_watch_machine::put(const watch_input& e, std::string& out) {
  for (const auto& o : m.step(e, in.now)) {
    if (const auto* p = std::get_if<watch_effect::poll>(&o)) round = p->round;
    out += describe(o) + "\n";
  }
}

std::string leader_watch_machine::state() const {
  std::string s(floe::name(m.state()));
  if (m.resting()) s += " resting";
  if (m.paused()) s += " paused";
  if (!m.owed().empty()) s += " owed=\"" + m.owed() + "\"";
  return s;
}

std::vector<std::string_view> leader_watch_machine::events() const {
  return event_names(static_cast<const watch_input*>(nullptr));
}

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  pnn self{0};
  std::uint32_t count = 3, level = 0;
  if (auto v = said.option("levels")) parse(*v, level);
  if (auto v = said.option("self")) parse(*v, self);
  if (auto v = said.option("nodes")) parse(*v, count);
  w.current = std::make_unique<leader_watch_machine>(w, self, count, level);
  return w.current->state();
}

extern const verb leader_watch_verb{"leader_watch", "leader_watch [nodes=3] [self=0] [levels=0]",
                                    run};

}  // namespace floe::rule_script
