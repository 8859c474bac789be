#include "cli/command/drill/result_files.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/drill/report/junit.hpp"
#include "cli/whole_file.hpp"

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;

std::array<const std::string*, 3> each(const wanted_files& f) {
  return {&f.report, &f.perfetto, &f.record};
}

/// One run is told check by check, of many runs each is a case.
std::vector<junit_suite> suites_of(const std::vector<planned_run>& runs,
                                   std::vector<std::pair<std::size_t, verdict>>& ended) {
  std::ranges::sort(ended, {}, [](const auto& e) { return e.first; });
  std::vector<junit_suite> suites;
  const script* last = nullptr;
  for (const auto& [i, v] : ended) {
    if (runs[i].drill != last) suites.push_back({.name = runs[i].drill->name, .cases = {}});
    last = runs[i].drill;
    std::string detail;
    for (const auto& c : v.checks)
      for (const auto& b : c.broken) detail += fmt::format("{}: {}\n", c.checker, b);
    suites.back().cases.push_back(
        {fmt::format("seed {}", v.seed), v.real_ms / 1000, v.held, v.reason, detail});
    if (runs.size() > 1) continue;
    for (const auto& s : v.steps)
      suites.back().cases.push_back(
          {fmt::format("seed {}: {}", v.seed, s.what), s.seconds, s.good, s.detail, {}});
    for (const auto& c : v.checks)
      suites.back().cases.push_back({fmt::format("seed {}: {}", v.seed, c.checker),
                                     0,
                                     c.broken.empty(),
                                     c.broken.empty() ? "" : c.broken.front(),
                                     {}});
  }
  return suites;
}

}  // namespace

std::expected<result_files, std::string> result_files::open(const names& n) {
  for (const auto* name : {&n.of_run.report, &n.of_run.perfetto, &n.of_run.record, &n.junit})
    if (!name->empty())
      if (const auto can = can_be_written(*name); !can) return std::unexpected(can.error());
  result_files f(n);
  if (!n.of_run.any()) return f;
  auto pattern = (fs::temp_directory_path() / "floe-drill-XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    return std::unexpected(fmt::format("{} cannot be made: {}", pattern, std::strerror(errno)));
  f.place_ = pattern;
  return f;
}

result_files::~result_files() {
  std::error_code ignored;
  if (!place_.empty()) fs::remove_all(place_, ignored);
}

wanted_files result_files::drafts(std::size_t i) const {
  const auto draft = [&](const std::string& wanted, const char* kind) {
    return wanted.empty() ? std::string() : (place_ / fmt::format("{}.{}", i, kind)).string();
  };
  return {draft(names_.of_run.report, "report"), draft(names_.of_run.perfetto, "perfetto"),
          draft(names_.of_run.record, "record"), i > 0};
}

void result_files::plan(std::vector<planned_run>& runs) const {
  if (!names_.of_run.any()) return;
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].files = drafts(i);
}

void result_files::forget(std::size_t i) const {
  std::error_code ignored;
  const auto files = drafts(i);
  for (const auto* f : each(files))
    if (!f->empty()) fs::remove(*f, ignored);
}

void result_files::ended(std::size_t i, const verdict& v) {
  all_.emplace_back(i, v);
  if (!v.recorded) return;
  const bool better =
      !chosen_ || (!v.held && !chosen_failed_) || (v.held != chosen_failed_ && i < *chosen_);
  if (better && chosen_) forget(*chosen_);
  if (!better) return forget(i);
  chosen_ = i;
  chosen_failed_ = !v.held;
}

std::expected<std::optional<std::size_t>, std::string> result_files::keep(
    const std::vector<planned_run>& runs) {
  if (!names_.junit.empty())
    if (const auto done = write_whole(names_.junit, junit_xml(suites_of(runs, all_))); !done)
      return std::unexpected(done.error());
  if (!chosen_) return std::nullopt;
  const auto from = drafts(*chosen_);
  const auto sources = each(from), wanted = each(names_.of_run);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (wanted[i]->empty()) continue;
    std::ifstream in(*sources[i], std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    if (const auto done = write_whole(*wanted[i], text.view()); !done)
      return std::unexpected(done.error());
  }
  return chosen_;
}

std::string result_files::of_run_text() const {
  std::string text;
  for (const auto* name : each(names_.of_run))
    if (!name->empty()) text += (text.empty() ? "" : ", ") + *name;
  return text;
}

}  // namespace floe::cli::drill
