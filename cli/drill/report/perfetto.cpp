/// A run as a trace for ui.perfetto.dev: JSON as chrome://tracing reads it. A process for each
/// database with a thread for each node, one for the faults, one for the clients, and counters.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "cli/drill/report/run_record.hpp"

namespace floe::cli {
namespace {

/// What overlaps on one thread is drawn wrongly: each gets the first lane that is free.
class lanes {
 public:
  std::size_t take(std::int64_t from, std::int64_t to) {
    const auto free =
        std::ranges::find_if(ends_, [&](std::int64_t end) { return end <= from; }) - ends_.begin();
    const auto lane = static_cast<std::size_t>(free);
    if (lane == ends_.size()) ends_.push_back(0);
    ends_[lane] = to;
    return lane;
  }

 private:
  std::vector<std::int64_t> ends_;
};

class trace_writer {
 public:
  explicit trace_writer(const run_record& r) : run_(r) {}

  std::string write() {
    json_.begin_object();
    json_.text("displayTimeUnit", "ms");
    json_.begin_list("traceEvents");
    for (const auto& row : run_.picture.rows) put_row(row);
    for (const auto& story : run_.picture.stories) put_story(story);
    lanes of_faults;
    for (const auto& f : run_.faults) {
      const auto to = std::max(f.from_us, f.to_us);
      put_span(f.what, f.from_us, to, process_of("faults"), of_faults.take(f.from_us, to) + 1);
    }
    put_uses();
    put_counters();
    json_.end();
    json_.end();
    return std::move(json_).take();
  }

 private:
  void event(std::string_view phase, std::string_view name, std::uint64_t process,
             std::uint64_t thread) {
    json_.begin_object();
    json_.text("ph", phase);
    json_.text("name", name);
    json_.number("pid", process);
    json_.number("tid", thread);
  }
  void at(std::int64_t t_us) { json_.integer("ts", t_us - run_.zero_us); }
  void named(std::string_view what, std::uint64_t process, std::uint64_t thread,
             const std::string& name) {
    event("M", what, process, thread);
    json_.begin_object("args");
    json_.text("name", name);
    json_.end();
    json_.end();
  }
  std::uint64_t process_of(const std::string& name) {
    const auto [i, fresh] = processes_.try_emplace(name, processes_.size() + 1);
    if (fresh) named("process_name", i->second, 0, name);
    return i->second;
  }
  void put_span(const std::string& what, std::int64_t from_us, std::int64_t to_us,
                std::uint64_t process, std::uint64_t thread) {
    event("X", what, process, thread);
    at(from_us);
    json_.integer("dur", to_us - from_us);
    json_.end();
  }

  void put_row(const timeline_row& row) {
    const auto process = process_of(row.db.empty() ? "recovery mode" : row.db);
    const std::uint64_t thread = number(row.node) + 1;
    named("thread_name", process, thread, fmt::format("node {}", number(row.node)));
    for (const auto& s : row.spans) put_span(s.what, s.from_us, s.to_us, process, thread);
    for (const auto& m : row.marks) {
      event("i", std::string_view(&m.sign, 1), process, thread);
      at(m.t_us);
      json_.text("s", "t");
      json_.end();
    }
  }

  void put_story(const leader_story& story) {
    constexpr std::uint64_t leaders_thread = 1000;
    const auto process = process_of(story.db.empty() ? "recovery mode" : story.db);
    named("thread_name", process, leaders_thread, "leader");
    for (const auto& s : story.phases)
      put_span(s.what, s.from_us, s.to_us, process, leaders_thread);
  }

  /// Clients with their locks and waits.
  void put_uses() {
    std::map<std::string, lanes> taken;
    std::map<std::string, std::uint64_t> threads;
    for (const auto& u : run_.uses) {
      const auto who = u.who.empty() ? "migrations" : u.who;
      const auto lane = taken[who].take(u.from_us, u.to_us);
      const auto name = lane ? fmt::format("{} ({})", who, lane + 1) : who;
      const auto process = process_of("clients");
      const auto [thread, fresh] = threads.try_emplace(name, threads.size() + 1);
      if (fresh) named("thread_name", process, thread->second, name);
      put_span(fmt::format("{} {}/{}", u.what, u.db, u.key), u.from_us, u.to_us, process,
               thread->second);
    }
  }

  void put_counters() {
    const auto& t = run_.throughput;
    for (std::size_t i = 0; i < t.done.size(); ++i) {
      event("C", "operations", process_of("clients"), 0);
      at(run_.picture.from_us + static_cast<std::int64_t>(i) * t.bucket_us);
      json_.begin_object("args");
      json_.number("done", t.done[i]);
      json_.number("failed", i < t.failed.size() ? t.failed[i] : 0);
      json_.number("waiting", i < t.waiting.size() ? t.waiting[i] : 0);
      json_.end();
      json_.end();
    }
  }

  const run_record& run_;
  wire::json_writer json_;
  std::map<std::string, std::uint64_t> processes_;
};

}  // namespace

std::string perfetto_trace(const run_record& r) { return trace_writer(r).write(); }

}  // namespace floe::cli
