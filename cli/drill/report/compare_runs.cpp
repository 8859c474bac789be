#include "cli/drill/report/compare_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/drill/report/page.hpp"
#include "cli/drill/report/run_record.hpp"
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
  std::size_t ctdbds = 0;
  const json nodes = j.value("nodes", json::array());
  for (const auto& n : nodes) ctdbds += n.value("kind", "") == "ctdbd";
  if (ctdbds) text += fmt::format(", ctdbd on {} of {} nodes", ctdbds, nodes.size());
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

/// "kill follower (node 2)": which one it was may differ from run to run.
std::string without_nodes(const std::string& fault) {
  const auto at = fault.rfind(" (node");
  return at == std::string::npos ? fault : fault.substr(0, at);
}

/// The times of each database after each fault: "locking.tdb not available after kill 1".
void add_faults(std::vector<compared_figure>& figures, const json& a, const json& b) {
  const auto cost = [](const json& run, const json& db, std::size_t i, const std::string& what) {
    const json faults = run.value("faults", json::array());
    const json times = db.is_object() ? db.value("by_fault_us", json::array()) : json::array();
    if (i >= faults.size() || i >= times.size() ||
        without_nodes(faults[i].value("what", "")) != what)
      return -1.0;
    return times[i].get<double>() / 1000;
  };
  const json x = a.value("faults", json::array()), y = b.value("faults", json::array());
  for (std::size_t i = 0; i < std::max(x.size(), y.size()); ++i) {
    const auto what = without_nodes((i < x.size() ? x[i] : y[i]).value("what", ""));
    for (const auto& db : names(a["unavailable"], b["unavailable"], "db")) {
      const auto first = cost(a, find(a["unavailable"], "db", db), i, what);
      const auto second = cost(b, find(b["unavailable"], "db", db), i, what);
      if (first > 0 || second > 0)
        figures.push_back(
            {fmt::format("{} not available after {}", db, what), first, second, "ms", true});
    }
  }
}

/// "B x 2.00": which is better, and how many times.
std::string better_text(double ratio) {
  if (ratio <= 0) return {};
  return fmt::format("{} x {:.{}f}", ratio >= 1 ? "B" : "A", std::max(ratio, 1 / ratio),
                     std::max(ratio, 1 / ratio) < 100 ? 2 : 0);
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

bool compared_figure::worse_by(double percent) const {
  constexpr double noise = 1;  // a millisecond, or an operation per second
  if (a < 0 || b < 0) return false;
  const auto by = less_is_better ? b - a : a - b;
  return by > noise && by > a * percent / 100;
}

std::vector<std::string> compared_runs::worse_by(double percent) const {
  std::vector<std::string> worse;
  if (a_good && !b_good) worse.emplace_back("the verdict");
  for (const auto& f : figures)
    if (f.worse_by(percent)) worse.push_back(f.what);
  return worse;
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
  for (const auto& db : names((*a)["unavailable"], (*b)["unavailable"], "db")) {
    const auto x = find((*a)["unavailable"], "db", db), y = find((*b)["unavailable"], "db", db);
    r.figures.push_back({db + " not available, longest", figure(x, "longest_us", 1e-3),
                         figure(y, "longest_us", 1e-3), "ms", true});
    r.figures.push_back({db + " not available, in all", figure(x, "total_us", 1e-3),
                         figure(y, "total_us", 1e-3), "ms", true});
    if (const auto p = figure(x, "longest_wait_us", 1e-3), q = figure(y, "longest_wait_us", 1e-3);
        p > 0 || q > 0)
      r.figures.push_back({db + " longest wait of a client", p, q, "ms", true});
  }
  add_faults(r.figures, *a, *b);
  if (const auto x = operations_per_second(*a), y = operations_per_second(*b); x >= 0 || y >= 0)
    r.figures.push_back({"operations", x, y, "/s", false});
  for (const auto& what : names((*a)["checks"], (*b)["checks"], "what")) {
    const auto x = figure(find((*a)["checks"], "what", what), "seconds", 1000);
    const auto y = figure(find((*b)["checks"], "what", what), "seconds", 1000);
    if (x > 0 || y > 0) r.figures.push_back({what, x, y, "ms", true});  // others take no time
  }
  return r;
}

std::string comparison_text(const compared_runs& r) {
  auto text = fmt::format("A  {}\nB  {}\n\n", r.a, r.b);
  table t({{""}, {"A", true}, {"B", true}, {"BETTER", true}});
  for (const auto& f : r.figures) {
    const auto ratio = f.ratio();
    const auto look = f.worse_by(0) ? style::bad : ratio > 1 ? style::good : style::plain;
    t.row({f.what, value_text(f.a, f.unit), value_text(f.b, f.unit), {better_text(ratio), look}});
  }
  return text + t.text();
}

void put_comparison(wire::json_writer& j, const compared_runs& r) {
  for (const auto& [name, words, good] : {std::tuple{"a", &r.a, r.a_good}, {"b", &r.b, r.b_good}}) {
    j.begin_object(name);
    j.text("run", *words);
    j.boolean("held", good);
    j.end();
  }
  j.begin_list("figures");
  const auto number = [&](const char* name, double v, bool there) {
    if (there)
      j.real(name, v);
    else
      j.null(name);
  };
  for (const auto& f : r.figures) {
    j.begin_object();
    j.text("what", f.what);
    j.text("unit", f.unit);
    number("a", f.a, f.a >= 0);
    number("b", f.b, f.b >= 0);
    number("b_is_better_by", f.ratio(), f.ratio() > 0);
    j.end();
  }
  j.end();
}

std::string comparison_page(const compared_runs& r, const std::string& a, const std::string& b) {
  const auto html = [](std::string_view text) {
    std::string out;
    for (const char c : text)
      out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
    return out;
  };
  std::string rows;
  for (const auto& f : r.figures) {
    const auto ratio = f.ratio();
    rows += fmt::format("<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        f.worse_by(0) ? " class=bad" : "", html(f.what), value_text(f.a, f.unit),
                        value_text(f.b, f.unit), better_text(ratio));
  }
  std::string page(compare_html);
  const auto fill = [&](std::string_view place, const std::string& text) {
    page.replace(page.find(place), place.size(), text);
  };
  // from the end on: nothing in a run is taken for a place
  fill("@PAGE_B@", html(page_of(b)));
  fill("@PAGE_A@", html(page_of(a)));
  fill("@ROWS@", rows);
  fill("@B@", html(r.b));
  fill("@A@", html(r.a));
  return page;
}

}  // namespace floe::cli
