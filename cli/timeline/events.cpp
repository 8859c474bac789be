#include "cli/timeline/events.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace floe::cli {

std::string_view timed_event::value(std::string_view key) const {
  const std::string_view all = detail;
  for (std::size_t at = all.find(key); at != std::string_view::npos; at = all.find(key, at + 1)) {
    const auto equals = at + key.size();
    const bool starts_here = at == 0 || all[at - 1] == ' ';
    if (!starts_here || equals >= all.size() || all[equals] != '=') continue;
    const auto rest = all.substr(equals + 1);
    if (rest.starts_with('"')) return rest.substr(1, rest.find('"', 1) - 1);
    return rest.substr(0, rest.find(' '));
  }
  return {};
}

std::int64_t timed_event::number_of(std::string_view key) const {
  const auto text = value(key);
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::pair<std::string_view, std::string_view> timed_event::change() const {
  const std::string_view all = detail;
  const auto arrow = all.find("->");
  if (arrow == std::string_view::npos) return {};
  const auto to = all.substr(arrow + 2);
  return {all.substr(0, arrow), to.substr(0, to.find(' '))};
}

bool add_events(std::vector<timed_event>& to, std::string_view report) {
  using nlohmann::json;
  const auto j = json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("node") || !j["node"].is_number_unsigned()) return false;
  const pnn node{j["node"].get<std::uint32_t>()};
  for (const auto& e : j.value("events", json::array()))
    to.push_back({e.value("t_us", std::int64_t{0}), node, e.value("event", ""), e.value("db", ""),
                  e.value("detail", "")});
  return true;
}

void sort_events(std::vector<timed_event>& all) {
  std::ranges::stable_sort(all, {}, &timed_event::t_us);
}

}  // namespace floe::cli
