#include "tests/rules/script/event_parser.hpp"

#include <algorithm>

#include "protocol/constants.hpp"

namespace floe::rule_script {

std::vector<std::string> parts(std::string_view text, char separator) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    all.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::uint64_t parse_number(const std::string& text) {
  const bool hex = text.starts_with("0x");
  std::uint64_t n = 0;
  const char* begin = text.data() + (hex ? 2 : 0);
  const char* end = text.data() + text.size();
  const auto r = std::from_chars(begin, end, n, hex ? 16 : 10);
  if (r.ec != std::errc() || r.ptr != end) throw mistake("\"" + text + "\" is no number");
  return n;
}

void parse(const std::string& text, duration& to) {
  using namespace std::chrono;
  const auto unit_at = text.find_first_not_of("0123456789");
  const std::string unit = unit_at == text.npos ? "" : text.substr(unit_at);
  if (unit != "s" && unit != "ms")
    throw mistake("\"" + text + "\" is no time, such as 10s or 500ms");
  const auto n = static_cast<std::int64_t>(parse_number(text.substr(0, unit_at)));
  to = unit == "s" ? duration(seconds(n)) : duration(milliseconds(n));
}

void parse(const std::string& text, bool& to) {
  if (text != "yes" && text != "no") throw mistake("\"" + text + "\" is neither yes nor no");
  to = text == "yes";
}

void parse(const std::string& text, pnn& to) {
  to = text == "?" ? pnn::unknown : pnn{static_cast<std::uint32_t>(parse_number(text))};
}

void parse(const std::string& text, priority_time& to) {
  const auto plus = text.find('+');
  to.seconds = parse_number(text.substr(0, plus));
  to.microseconds = 0;
  if (plus == text.npos) return;
  if (!text.ends_with("us")) throw mistake("\"" + text + "\" is no such time as 100+7us");
  to.microseconds = parse_number(text.substr(plus + 1, text.size() - plus - 3));
}

std::uint8_t parse_db_flags(std::string_view text) {
  std::uint8_t flags = 0;
  for (const auto& word : parts(text, '|')) {
    const auto names = db_flag_names();
    const auto at = std::ranges::find(names, std::string_view(word), &flag_name::name);
    if (at == names.end()) throw mistake("\"" + word + "\" is no flag of a database");
    flags = static_cast<std::uint8_t>(flags | at->bits);
  }
  return flags;
}

void parse(const std::string& text, db_plan::participant& to) {
  const auto colon = std::min(text.find(':'), text.size());
  parse(text.substr(0, colon), to.node);
  auto more = std::string_view(text).substr(colon);
  to.took_part = !more.starts_with(":missed");
  if (!to.took_part) more.remove_prefix(std::string_view(":missed").size());
  to.leaves = more == ":leaves";
  if (!more.empty() && !to.leaves)
    throw mistake("\"" + text + "\": a participant is 1, 1:missed or 1:leaves");
}

void parse(const std::string& text, db_lack& to) {
  const auto colon = std::min(text.find(':'), text.size() - 1);
  parse(text.substr(0, colon), to.node);
  to.records = parse_number(text.substr(colon + 1));
}

void parse(const std::string& text, db_copy& to) {
  const auto words = parts(text, ':');
  if (words.size() < 2)
    throw mistake("\"" + text + "\": a copy is 76:complete or 76:complete:75+74");
  to.content = generation{static_cast<std::uint32_t>(parse_number(words[0]))};
  const change_state all[] = {change_state::none, change_state::complete, change_state::overflow,
                              change_state::filled};
  const auto is =
      std::ranges::find(all, std::string_view(words[1]), [](change_state s) { return name(s); });
  if (is == std::end(all)) throw mistake("\"" + words[1] + "\" is no state of changes");
  to.changes = *is;
  to.earlier.clear();
  if (words.size() > 2)
    for (const auto& g : parts(words[2], '+'))
      to.earlier.push_back(generation{static_cast<std::uint32_t>(parse_number(g))});
}

void parse(const std::string& text, content_past& to) {
  const auto words = parts(text, ':');
  if (words.size() != 2) throw mistake("\"" + text + "\": a past is 75:77+76+75");
  to.written = generation{static_cast<std::uint32_t>(parse_number(words[0]))};
  to.from.clear();
  for (const auto& g : parts(words[1], '+'))
    to.from.push_back(generation{static_cast<std::uint32_t>(parse_number(g))});
}

void parse(const std::string& text, db_plan::copy& to) {
  const auto colon = std::min(text.find(':'), text.size());
  parse(text.substr(0, colon), to.node);
  to.flags = parse_db_flags(std::string_view(text).substr(std::min(colon + 1, text.size())));
}

void parse(const std::string& text, cluster_event::listed::entry& to) {
  const auto colon = std::min(text.find(':'), text.size());
  parse(text.substr(0, colon), to.db);
  to.flags = parse_db_flags(std::string_view(text).substr(std::min(colon + 1, text.size())));
}

void parse(const std::string&, evidence&) {
  throw mistake("evidence cannot be written in one word; let a verb make it");
}

}  // namespace floe::rule_script
