/// left_out map=0,1,3 before=0,1,2,3 [owed=4] [self=0]: a node takes the first map in place of the second. Whom it owes the word.
///
/// owed [disconnected] [silent=500ms] [told] [dead] [inactive] [ctdbd]: how it stands with one of them, heard just now if
/// nothing else is said. It freezes by itself after two seconds; keepalives come every 250 ms.
///
/// told by=0 of=COUNT own=COUNT map=0,1,2: what a member does that is told. `own=none`: it has no content that counts.
#include "protocol/rules/left_out.hpp"

#include <chrono>
#include <string>

#include "protocol/rules/lineage.hpp"
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

using std::chrono::milliseconds;

template <class Value>
Value wanted(words& said, std::string_view which) {
  const auto text = said.option(which);
  if (!text) throw mistake(said.name() + ": " + std::string(which) + "= is missing");
  Value v{};
  parse(*text, v);
  return v;
}

generation counted(words& said, std::string_view which) {
  if (const auto text = said.option(which); text && *text != "none") {
    std::uint32_t count = 0;
    parse(*text, count);
    return later_by(next_generation({}, 0), count);
  }
  return generation::invalid;
}

std::string run_left_out(world&, words& said, const std::vector<std::string>&) {
  std::vector<pnn> owed;
  pnn self{0};
  if (const auto text = said.option("owed")) parse(*text, owed);
  if (const auto text = said.option("self")) parse(*text, self);
  const auto map = wanted<std::vector<pnn>>(said, "map");
  std::string all;
  for (const pnn n : left_out_by(owed, wanted<std::vector<pnn>>(said, "before"), map, self))
    all += (all.empty() ? "" : ", ") + std::to_string(number(n));
  return all.empty() ? "nobody" : all;
}

std::string run_owed(world&, words& said, const std::vector<std::string>&) {
  part_member m{.node = pnn{2}, .in_map = true, .limit = milliseconds(2000)};
  m.connected = !said.flag("disconnected");
  m.dead = said.flag("dead");
  m.inactive = said.flag("inactive");
  if (said.flag("ctdbd")) m.limit = duration{0};
  if (const auto text = said.option("silent")) parse(*text, m.silent);
  const auto v = judge_left_out(m, said.flag("told"), milliseconds(250));
  std::string out(name(v.what));
  if (v.what != left_out_verdict::kind::settled)
    out += ", " + std::to_string(std::chrono::duration_cast<milliseconds>(v.wait).count()) +
           " ms at most";
  return out;
}

std::string run_told(world&, words& said, const std::vector<std::string>&) {
  const auto own = counted(said, "own"), of = counted(said, "of");
  const auto map = wanted<std::vector<pnn>>(said, "map");
  return std::string(name(answer_left_out(own, map, wanted<pnn>(said, "by"), of)));
}

}  // namespace

extern const verb left_out_verb{"left_out", "left_out map=0,1 before=0,1,2 [owed=3] [self=0]",
                                run_left_out};
extern const verb owed_verb{
    "owed", "owed [disconnected] [silent=500ms] [told] [dead] [inactive] [ctdbd]", run_owed};
extern const verb told_verb{"told", "told by=0 of=COUNT own=COUNT map=0,1,2", run_told};

}  // namespace floe::rule_script
