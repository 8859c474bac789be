#include "tests/rules/script/verb.hpp"

#include <algorithm>
#include <array>

namespace floe::rule_script {

#define RULE_SCRIPT_VERB(name) extern const verb name##_verb;
#include "tests/rules/verbs/verbs.def"
#undef RULE_SCRIPT_VERB

namespace {

constexpr std::array all_verbs{
#define RULE_SCRIPT_VERB(name) &name##_verb,
#include "tests/rules/verbs/verbs.def"
#undef RULE_SCRIPT_VERB
};

std::string known_words(const world& w) {
  std::string all = "verbs are";
  for (const auto* v : all_verbs) all += " " + std::string(v->name);
  if (!w.current) return all + "; no machine was made yet";
  all += "; events are";
  for (const auto name : w.current->events()) all += " " + std::string(name);
  return all;
}

}  // namespace

std::span<const verb* const> verbs() { return all_verbs; }

std::string run_line(world& w, const std::string& line, const std::vector<std::string>& body) {
  words said(line);
  std::string out;
  const auto at = std::ranges::find(all_verbs, said.name(), &verb::name);
  if (at != all_verbs.end()) {
    out = (*at)->run(w, said, body);
    said.finish();
  } else if (!w.current || !w.current->feed(said, out)) {
    throw mistake("\"" + said.name() + "\" is neither a verb nor an event here; " + known_words(w));
  } else if (!body.empty()) {
    throw mistake(said.name() + ": an event is one line");
  }
  return out.empty() ? "nothing" : out;
}

}  // namespace floe::rule_script
