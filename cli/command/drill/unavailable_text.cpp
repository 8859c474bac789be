#include "cli/command/drill/unavailable_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "cli/drill/checker/checker.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

/// What fits a terminal; the page and the JSON have everything.
constexpr std::size_t most_rows = 12, most_columns = 4;

std::string us_text(std::int64_t us) {
  return us > 0 ? age_text(static_cast<double>(us) / 1000) : "–";
}

/// Below the other lines of the verdict.
void print_indented(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    print_text(fmt::format("      {}\n", text.substr(0, end)));
    text.remove_prefix(end + 1);
  }
}

std::int64_t cost_of(const verdict& v, std::size_t fault) {
  std::int64_t sum = 0;
  for (const auto& u : v.unavailable) sum += u.by_fault_us[fault];
  return sum;
}

void print_databases(const std::vector<unavailability>& all, std::size_t affected) {
  table t({{"NOT AVAILABLE"},
           {"WORST", true},
           {"ON NODE", true},
           {"IN ALL", true},
           {"LONGEST WAIT", true}});
  for (std::size_t i = 0; i < std::min(most_rows, affected); ++i) {
    const auto& u = all[i];
    t.row({u.db, us_text(u.longest_us), u.longest_us > 0 ? std::to_string(number(u.node)) : "–",
           us_text(u.total_us), us_text(u.longest_wait_us)});
  }
  print_indented(t.text());
  if (affected > most_rows)
    print_text(fmt::format("      and {} more databases, for less\n", affected - most_rows));
}

/// Each fault's share is what came after it and before the next.
void print_faults(const verdict& v, std::size_t affected) {
  std::vector<std::size_t> shown(v.faults.size());
  std::iota(shown.begin(), shown.end(), 0);
  std::ranges::stable_sort(shown, std::ranges::greater{},
                           [&](std::size_t i) { return cost_of(v, i); });
  shown.resize(std::min(shown.size(), most_rows));
  std::ranges::sort(shown);
  std::vector<column> columns{{"FAULT"}, {"AT", true}, {"UNTIL", true}, {"A CLIENT WAITED", true}};
  const auto databases = std::min(most_columns, affected);
  for (std::size_t d = 0; d < databases; ++d)
    columns.push_back({v.unavailable[d].db.c_str(), true});
  table t(columns);
  for (const auto i : shown) {
    const auto& f = v.faults[i];
    std::vector<cell> row{f.what, at_text(f.from_us), f.to_us > f.from_us ? at_text(f.to_us) : "",
                          us_text(f.longest_wait_us)};
    for (std::size_t d = 0; d < databases; ++d)
      row.emplace_back(us_text(v.unavailable[d].by_fault_us[i]));
    t.row(std::move(row));
  }
  print_indented(t.text());
  if (v.faults.size() > shown.size())
    print_text(
        fmt::format("      and {} more faults that cost less\n", v.faults.size() - shown.size()));
}

}  // namespace

void print_unavailable(const verdict& v) {
  const auto affected =
      static_cast<std::size_t>(std::ranges::count_if(v.unavailable, [](const unavailability& u) {
        return u.total_us > 0 || u.longest_wait_us > 0;
      }));
  if (affected == 0) return;
  print_databases(v.unavailable, affected);
  if (!v.faults.empty()) print_faults(v, affected);
}

void put_unavailable(wire::json_writer& j, const verdict& v) {
  j.begin_list("unavailable");
  for (const auto& u : v.unavailable) {
    j.begin_object();
    j.text("db", u.db);
    j.real("longest_ms", static_cast<double>(u.longest_us) / 1000);
    j.number("node", number(u.node));
    j.real("total_ms", static_cast<double>(u.total_us) / 1000);
    j.real("longest_wait_ms", static_cast<double>(u.longest_wait_us) / 1000);
    j.begin_list("by_fault_ms");
    for (const auto us : u.by_fault_us) j.real({}, static_cast<double>(us) / 1000);
    j.end();
    j.end();
  }
  j.end();
  j.begin_list("faults");
  for (const auto& f : v.faults) {
    j.begin_object();
    j.text("what", f.what);
    j.integer("from_us", f.from_us);
    j.integer("to_us", f.to_us);
    j.real("longest_wait_ms", static_cast<double>(f.longest_wait_us) / 1000);
    j.end();
  }
  j.end();
}

}  // namespace floe::cli::drill
