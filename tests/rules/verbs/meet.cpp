/// meet members=RSN:DATA[>RSN:DATA ...] returner=RSN:DATA[>RSN:DATA ...]: two parts of a cluster meet; what one record was in
/// each when they parted, what it was in between, and what it is now (the same, if that is left out). DATA is a word; `gone`: an
/// empty record, or none.
/// Who goes on, and with which rsn.
#include <charconv>
#include <string>

#include "protocol/rules/parts.hpp"
#include "tests/rules/script/verb.hpp"

namespace floe::rule_script {
namespace {

record_mark mark_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    throw mistake("meet: RSN:DATA is expected, not " + std::string(text));
  std::uint64_t n = 0;
  const auto read = std::from_chars(text.data(), text.data() + colon, n);
  if (read.ptr != text.data() + colon) throw mistake("meet: no rsn in " + std::string(text));
  const auto data = text.substr(colon + 1);
  std::uint32_t sum = 0;
  for (const char c : data) sum = sum * 31 + static_cast<unsigned char>(c);
  return {.rsn = rsn{n}, .data_sum = data == "gone" ? 0 : sum};
}

part_history history_of(words& said, std::string_view which) {
  const auto text = said.option(which);
  if (!text) throw mistake("meet: " + std::string(which) + "=RSN:DATA[>RSN:DATA] is missing");
  std::string_view rest = *text;
  const auto next = [&rest] {
    const auto arrow = rest.find('>');
    const auto m = mark_of(rest.substr(0, arrow));
    rest = arrow == rest.npos ? std::string_view() : rest.substr(arrow + 1);
    return m;
  };
  part_history h{.at_parting = next(), .now = {}};
  h.now = h.at_parting;
  while (!rest.empty()) {
    h.now = next();
    h.at_parting.written |= h.now.data_sum != h.at_parting.data_sum;
  }
  return h;
}

std::string run(world&, words& said, const std::vector<std::string>&) {
  const auto members = history_of(said, "members");
  const auto returner = history_of(said, "returner");
  if (part_that_goes_on(members, returner) == part::members)
    return "members, rsn " + std::to_string(number(members.now.rsn));
  const auto h = winning_header({.rsn = returner.now.rsn}, members.now);
  return "returner, rsn " + std::to_string(number(h.rsn));
}

}  // namespace

extern const verb meet_verb{
    "meet", "meet members=RSN:DATA[>RSN:DATA ...] returner=RSN:DATA[>RSN:DATA ...]", run};

}  // namespace floe::rule_script
