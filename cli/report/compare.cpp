#include "cli/report/compare.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/output.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

std::expected<json, std::string> parse(const std::string& text, const char* which) {
  auto j = json::parse(text, nullptr, false);
  for (const char* list : {"checks", "unavailable", "rows"})
    if (!j.is_object() || !j.contains(list) || !j[list].is_array())
      return std::unexpected(
          fmt::format("{} is not the JSON of a run: it has no list `{}`", which, list));
  return j;
}

std::string words(const json& j) {
  auto text = fmt::format("{} ({}", j.value("title", "?"), j.value("mode", "?"));
  if (j.contains("seed") && j["seed"].is_number())
    text += fmt::format(", seed {}", j["seed"].get<std::uint64_t>());
  const auto verdict = j.value("verdict", "");
  return text + ")" + (verdict.empty() ? "" : verdict == "good" ? ", held" : ", failed");
}

/// The member of the list whose `key` has this value, or null.
json find(const json& list, const char* key, const std::string& value) {
  for (const auto& one : list)
    if (one.value(key, "") == value) return one;
  return {};
}

double figure(const json& one, const char* name, double scale) {
  return one.is_object() && one.contains(name) && one[name].is_number()
             ? one[name].get<double>() * scale
             : -1;
}

double operations_per_second(const json& j) {
  const json t = j.value("throughput", json::object());
  const auto done = t.value("done", std::vector<double>{});
  const auto bucket = t.value("bucket_us", 0.0);
  if (done.empty() || bucket <= 0) return -1;
  double sum = 0;
  for (const auto n : done) sum += n;
  return sum * 1e6 / (bucket * static_cast<double>(done.size()));
}

/// All values of `key` in both lists, in the order of their first appearance.
std::vector<std::string> names(const json& a, const json& b, const char* key) {
  std::vector<std::string> all;
  std::set<std::string> known;
  for (const auto* list : {&a, &b})
    for (const auto& one : *list)
      if (const auto n = one.value(key, ""); !n.empty() && known.insert(n).second) all.push_back(n);
  return all;
}

std::string value_text(double v, const std::string& unit) {
  if (v < 0) return "–";
  return fmt::format("{:.{}f} {}", v, v < 10 ? 2 : v < 100 ? 1 : 0, unit);
}

}  // namespace

double compared_figure::ratio() const {
  if (a <= 0 || b <= 0) return 0;
  return less_is_better ? a / b : b / a;
}

std::expected<compared_runs, std::string> compare_runs(const std::string& first,
                                                       const std::string& second) {
  const auto a = parse(first, "the first file"), b = parse(second, "the second file");
  if (!a) return std::unexpected(a.error());
  if (!b) return std::unexpected(b.error());
  compared_runs r{.a = words(*a),
                  .b = words(*b),
                  .a_good = a->value("verdict", "") != "bad",
                  .b_good = b->value("verdict", "") != "bad",
                  .figures = {}};
  for (const auto& what : names((*a)["checks"], (*b)["checks"], "what"))
    r.figures.push_back({what, figure(find((*a)["checks"], "what", what), "seconds", 1000),
                         figure(find((*b)["checks"], "what", what), "seconds", 1000), "ms", true});
  for (const auto& db : names((*a)["unavailable"], (*b)["unavailable"], "db")) {
    const auto x = find((*a)["unavailable"], "db", db), y = find((*b)["unavailable"], "db", db);
    r.figures.push_back({db + " not available, longest", figure(x, "longest_us", 1e-3),
                         figure(y, "longest_us", 1e-3), "ms", true});
    r.figures.push_back({db + " not available, in all", figure(x, "total_us", 1e-3),
                         figure(y, "total_us", 1e-3), "ms", true});
  }
  if (const auto x = operations_per_second(*a), y = operations_per_second(*b); x >= 0 || y >= 0)
    r.figures.push_back({"operations", x, y, "/s", false});
  return r;
}

std::string comparison_text(const compared_runs& r) {
  auto text = fmt::format("A  {}\nB  {}\n\n", r.a, r.b);
  table t({{""}, {"A", true}, {"B", true}, {"B IS BETTER BY", true}});
  for (const auto& f : r.figures) {
    const auto ratio = f.ratio();
    t.row(
        {f.what,
         value_text(f.a, f.unit),
         value_text(f.b, f.unit),
         {ratio > 0 ? fmt::format("x {:.2f}", ratio) : "", ratio >= 1 ? style::good : style::bad}});
  }
  return text + t.text();
}

}  // namespace floe::cli
