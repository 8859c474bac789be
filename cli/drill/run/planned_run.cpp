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

/// Whoever listens to a run, as it was asked for, and what they have to say of it in the end.
class audience {
 public:
  explicit audience(const planned_run& r)
      : run_(r),
        trace_(r.trace),
        words_(r.narrated == planned_run::narration::silent),
        view_(r.follow, r.drill->name, r.seed, r.drill->nodes) {
    if (r.measured || narrated() || r.files.any()) notes_.emplace(!r.files.report.empty());
  }

  /// Why the trace is not there, or not whole; empty: it is, or was not wanted.
  const std::string& trouble() const { return trace_.trouble(); }
  listeners ears();
  void tell(verdict& v);

 private:
  bool narrated() const { return run_.narrated != planned_run::narration::none; }
  void tell_record(verdict& v);

  const planned_run& run_;
  trace_file trace_;
  std::optional<run_recorder> notes_;
  narrator words_;
  live_follower view_;
  coverage_map shown_;
};

listeners audience::ears() {
  listeners to;
  if (trace_.is_open() || notes_ || run_.follow != following::nothing)
    to.trace = [this](const std::string& line) {
      trace_.line(line);
      if (notes_) notes_->line(line);
      view_.line(line);
    };
  to.begin = [this](drill_run& s) {
    view_.begin(s);
    if (narrated()) words_.begin(*run_.drill, s);
  };
  to.end = [this](drill_run& s) {
    view_.end();
    if (notes_) notes_->end_with(s.past);
  };
  if (run_.hunted) {
    to.log = [this](std::size_t node, std::string_view line) { shown_.log(node, line); };
    to.played = [this](const statement& s) {
      shown_.played(s.may_fail ? std::string_view(s.text).substr(4) : s.text);
    };
  }
  if (narrated()) {
    to.played = [this](const statement& s) { words_.played(s); };
    to.over = [this](bool held) { words_.over(held); };
  }
  return to;
}

void audience::tell(verdict& v) {
  trace_.close();
  if (!trouble().empty()) {
    v = {.seed = run_.seed, .reason = trouble()};
    return;
  }
  v.pairs = shown_.pairs();
  v.last_events = shown_.last_events();
  if (narrated()) words_.end(v);
  v.told = words_.steps();
  if (notes_) tell_record(v);
}

void audience::tell_record(verdict& v) {
  auto record = notes_->finish(*run_.drill, v);
  if (run_.on.real) describe_testbed(run_.on, record);
  v.unavailable = unavailable_times(record);
  v.faults = record.faults;
  if (narrated()) show_timeline(run_, record, v);
  v.steps.assign(record.checks.begin(),
                 record.checks.end() - static_cast<std::ptrdiff_t>(v.checks.size()));
  if (!run_.files.any() || (v.held && run_.files.only_of_a_failure)) return;
  const auto written = write(run_.files, record);
  v.recorded = written.has_value();
  if (!written && v.held) {
    v.held = false;
    v.reason = written.error();
  }
}

}  // namespace

verdict play_planned(const planned_run& r, afterwards then) {
  audience all(r);
  if (!all.trouble().empty()) return {.seed = r.seed, .reason = all.trouble()};
  auto to = all.ears();
  if (then == afterwards::left_as_it_is)
    to.keep = [](std::unique_ptr<drill_run> run) { (void)run.release(); };
  auto on = make_testbed(*r.drill, r.seed, r.on);
  if (!on) return {.seed = r.seed, .reason = on.error()};
  auto v = play(*r.drill, r.seed, std::move(*on), std::move(to));
  all.tell(v);
  return v;
}

}  // namespace floe::cli::drill
