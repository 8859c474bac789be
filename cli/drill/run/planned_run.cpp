#include "cli/drill/run/planned_run.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "cli/drill/hunt/coverage.hpp"
#include "cli/drill/report/episode.hpp"
#include "cli/drill/report/run_recorder.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/output.hpp"
#include "cli/timeline/gather.hpp"
#include "cli/whole_file.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

std::string record_json(const run_record& r) {
  auto j = open_json("drill record");
  put_record(j, r);
  j.end();
  return j.take() + "\n";
}

/// Nothing, or which file could not be written.
std::expected<void, std::string> write(const wanted_files& f, const run_record& r) {
  using make = std::string (*)(const run_record&);
  for (const auto& [file, text] : {std::pair<const std::string*, make>{&f.report, html_page},
                                   {&f.perfetto, perfetto_trace},
                                   {&f.record, record_json}})
    if (!file->empty())
      if (auto done = write_whole(*file, text(r)); !done) return done;
  return {};
}

/// Of what the story is about; all of the run has long quiet parts.
void show_timeline(const planned_run& r, const run_record& record, verdict& v) {
  const auto picture = episode_of(record);
  wire::json_writer j;
  j.begin_object();
  put_picture(j, picture, {});
  j.end();
  v.timeline = j.take();
  if (r.narrated == planned_run::narration::spoken)
    print_text("\n" + draw(picture, terminal_width(), colours_wanted()));
}

/// Where a run's trace goes, if one is wanted.
class trace_file {
 public:
  explicit trace_file(const std::string& name)
      : name_(name), file_(name.empty() ? nullptr : std::fopen(name.c_str(), "w")) {
    if (!name.empty() && !file_) note_trouble();
  }
  ~trace_file() { close(); }
  trace_file(const trace_file&) = delete;

  bool is_open() const { return file_ != nullptr; }
  void line(const std::string& text) const {
    if (file_) std::fprintf(file_, "%s\n", text.c_str());
  }
  void close() {
    if (file_ && std::fclose(std::exchange(file_, nullptr)) != 0) note_trouble();
  }
  /// Why it is not there, or not whole; empty: it is.
  const std::string& trouble() const { return trouble_; }

 private:
  void note_trouble() {
    trouble_ = fmt::format("{} cannot be written: {}", name_, std::strerror(errno));
  }

  std::string name_, trouble_;
  std::FILE* file_;
};

}  // namespace

verdict play_planned(const planned_run& r, afterwards then) {
  trace_file trace(r.trace);
  if (!trace.trouble().empty()) return {.seed = r.seed, .reason = trace.trouble()};
  std::optional<run_recorder> notes;
  const bool narrated = r.narrated != planned_run::narration::none;
  narrator words(r.narrated == planned_run::narration::silent);
  if (r.measured || narrated || r.files.any()) notes.emplace(!r.files.report.empty());
  live_follower view(r.follow, r.drill->name, r.seed, r.drill->nodes);
  listeners to;
  if (trace.is_open() || notes || r.follow != following::nothing)
    to.trace = [&](const std::string& line) {
      trace.line(line);
      if (notes) notes->line(line);
      view.line(line);
    };
  to.begin = [&](drill_run& s) {
    view.begin(s);
    if (narrated) words.begin(*r.drill, s);
  };
  to.end = [&](drill_run& s) {
    view.end();
    if (notes) notes->end_with(s.past);
  };
  if (then == afterwards::left_as_it_is)
    to.keep = [](std::unique_ptr<drill_run> run) { (void)run.release(); };
  coverage_map shown;
  if (r.hunted) {
    to.log = [&](std::size_t node, std::string_view line) { shown.log(node, line); };
    to.played = [&](const statement& s) {
      shown.played(s.may_fail ? std::string_view(s.text).substr(4) : s.text);
    };
  }
  if (narrated) {
    to.played = [&](const statement& s) { words.played(s); };
    to.over = [&](bool held) { words.over(held); };
  }
  auto on = make_testbed(*r.drill, r.seed, r.on);
  if (!on) return {.seed = r.seed, .reason = on.error()};
  auto v = play(*r.drill, r.seed, std::move(*on), std::move(to));
  trace.close();
  if (!trace.trouble().empty()) return {.seed = r.seed, .reason = trace.trouble()};
  v.pairs = shown.pairs();
  v.last_events = shown.last_events();
  if (narrated) words.end(v);
  v.told = words.steps();
  if (!notes) return v;
  auto record = notes->finish(*r.drill, v);
  if (r.on.real) describe_testbed(r.on, record);
  v.unavailable = unavailable_times(record);
  v.faults = record.faults;
  if (narrated) show_timeline(r, record, v);
  v.steps.assign(record.checks.begin(),
                 record.checks.end() - static_cast<std::ptrdiff_t>(v.checks.size()));
  if (!r.files.any() || (v.held && r.files.only_of_a_failure)) return v;
  const auto written = write(r.files, record);
  v.recorded = written.has_value();
  if (!written && v.held) {
    v.held = false;
    v.reason = written.error();
  }
  return v;
}

}  // namespace floe::cli::drill
