/// joining [self=1]: that node, before it is filled with anything. An event that names no `fill` answers what was asked for
/// last.
#include "protocol/rules/joining.hpp"

#include "protocol/rules/describe.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

struct joining_machine final : machine {
  joining_machine(world& w, pnn self) : in(w), m(self) {}

  bool feed(words& event, std::string& out) override {
    const auto preset = [&](auto& e) {
      if constexpr (requires { e.fill; }) e.fill = asked_for;
    };
    const auto input = parse_event<joining_input>(event, preset);
    if (!input) return false;
    for (const auto& o : m.step(*input, in.now)) {
      if (const auto* f = std::get_if<joining_effect::fill>(&o)) asked_for = f->fill;
      out += describe(o) + "\n";
    }
    return true;
  }
  std::string state() const override {
    return std::string(floe::name(m.state())) + (m.may_be_asked() ? "" : ", will not be filled");
  }
  std::vector<std::string_view> events() const override {
    return event_names(static_cast<const joining_input*>(nullptr));
  }

  world& in;
  joining m;
  fill_number asked_for{0};
};

}  // namespace

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  pnn self{1};
  if (auto v = said.option("self")) parse(*v, self);
  w.current = std::make_unique<joining_machine>(w, self);
  return w.current->state();
}

extern const verb joining_verb{"joining", "joining [self=1]", run};

}  // namespace floe::rule_script
