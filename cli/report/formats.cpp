/// The forms in which a run is kept: JSON, the page, Perfetto's trace.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/report/page.hpp"
#include "cli/report/run_record.hpp"
#include "cli/timeline/gather.hpp"

namespace floe::cli {
namespace {

void put_counts(wire::json_writer& j, const char* name, const std::vector<std::uint32_t>& counts) {
  j.begin_list(name);
  for (const auto n : counts) j.number({}, n);
  j.end();
}

}  // namespace

void put_record(wire::json_writer& j, const run_record& r) {
  j.text("title", r.title);
  j.text("story", r.story);
  j.text("mode", r.mode);
  j.integer("zero_us", r.zero_us);
  if (r.seed)
    j.number("seed", *r.seed);
  else
    j.null("seed");
  j.text("verdict", !r.good ? "" : *r.good ? "good" : "bad");
  j.text("reason", r.reason);
  j.begin_list("nodes");
  for (const auto& n : r.nodes) {
    j.begin_object();
    j.number("pnn", number(n.node));
    j.text("kind", n.kind);
    j.end();
  }
  j.end();
  j.begin_list("faults");
  for (const auto& f : r.faults) {
    j.begin_object();
    j.integer("from_us", f.from_us);
    j.integer("to_us", std::max(f.from_us, f.to_us));
    j.text("what", f.what);
    j.end();
  }
  j.end();
  j.begin_list("checks");
  for (const auto& c : r.checks) {
    j.begin_object();
    j.integer("t_us", c.t_us);
    j.text("what", c.what);
    j.boolean("good", c.good);
    j.text("detail", c.detail);
    j.real("seconds", c.seconds);
    j.end();
  }
  j.end();
  j.begin_object("throughput");
  j.integer("bucket_us", r.throughput.bucket_us);
  put_counts(j, "done", r.throughput.done);
  put_counts(j, "failed", r.throughput.failed);
  put_counts(j, "waiting", r.throughput.waiting);
  j.end();
  j.begin_list("uses");
  for (const auto& u : r.uses) {
    j.begin_object();
    j.text("what", u.what);
    j.text("who", u.who);
    j.text("db", u.db);
    j.text("key", u.key);
    j.number("node", number(u.node));
    j.integer("from_us", u.from_us);
    j.integer("to_us", u.to_us);
    j.text("end", u.end);
    j.end();
  }
  j.end();
  j.begin_list("unavailable");
  for (const auto& u : unavailable_times(r)) {
    j.begin_object();
    j.text("db", u.db);
    j.integer("longest_us", u.longest_us);
    j.number("node", number(u.node));
    j.integer("total_us", u.total_us);
    j.integer("longest_wait_us", u.longest_wait_us);
    j.begin_list("by_fault_us");
    for (const auto n : u.by_fault_us) j.integer({}, n);
    j.end();
    j.end();
  }
  j.end();
  auto picture = r.picture;
  if (!r.trace.empty()) picture.events.clear();  // the trace has them
  put_picture(j, picture, {});
}

std::string html_page(const run_record& r) {
  wire::json_writer j;
  j.begin_object();
  put_record(j, r);
  j.number("trace_left_out", r.trace_left_out);
  j.begin_list("trace");
  for (const auto& l : r.trace) {  // short names: there are many
    j.begin_list({});
    j.integer({}, l.t_us);
    j.text({}, l.who);
    j.text({}, l.text);
    j.end();
  }
  j.end();
  j.end();
  return page_of(std::move(j).take());
}

std::string page_of(std::string data) {
  // the only thing that could end the element it is put into
  for (std::size_t i = 0; (i = data.find("</", i)) != std::string::npos; i += 3)
    data.insert(i + 1, "\\");
  std::string page(page_html);
  constexpr std::string_view place = "@RUN@";
  return page.replace(page.find(place), place.size(), data);
}

std::string perfetto_trace(const run_record& r) {
  wire::json_writer j;
  j.begin_object();
  j.text("displayTimeUnit", "ms");
  j.begin_list("traceEvents");
  std::map<std::string, std::uint64_t> processes;
  const auto event = [&](std::string_view phase, std::string_view name, std::uint64_t process,
                         std::uint64_t thread) {
    j.begin_object();
    j.text("ph", phase);
    j.text("name", name);
    j.number("pid", process);
    j.number("tid", thread);
  };
  const auto named = [&](std::string_view what, std::uint64_t process, std::uint64_t thread,
                         const std::string& name) {
    event("M", what, process, thread);
    j.begin_object("args");
    j.text("name", name);
    j.end();
    j.end();
  };
  const auto process_of = [&](const std::string& name) {
    const auto [i, fresh] = processes.try_emplace(name, processes.size() + 1);
    if (fresh) named("process_name", i->second, 0, name);
    return i->second;
  };
  const auto put_span = [&](const span& s, std::uint64_t process, std::uint64_t thread) {
    event("X", s.what, process, thread);
    j.integer("ts", s.from_us - r.picture.from_us);
    j.integer("dur", s.to_us - s.from_us);
    j.end();
  };
  for (const auto& row : r.picture.rows) {
    const auto process = process_of(row.db.empty() ? "recovery mode" : row.db);
    const std::uint64_t thread = number(row.node) + 1;
    named("thread_name", process, thread, fmt::format("node {}", number(row.node)));
    for (const auto& s : row.spans) put_span(s, process, thread);
    for (const auto& m : row.marks) {
      event("i", std::string_view(&m.sign, 1), process, thread);
      j.integer("ts", m.t_us - r.picture.from_us);
      j.text("s", "t");
      j.end();
    }
  }
  constexpr std::uint64_t leaders_thread = 1000;
  for (const auto& story : r.picture.stories) {
    const auto process = process_of(story.db.empty() ? "recovery mode" : story.db);
    named("thread_name", process, leaders_thread, "leader");
    for (const auto& s : story.phases) put_span(s, process, leaders_thread);
  }
  const auto faults = process_of("faults");
  for (const auto& f : r.faults)
    put_span({.what = f.what, .from_us = f.from_us, .to_us = std::max(f.from_us, f.to_us)}, faults,
             1);
  j.end();
  j.end();
  return std::move(j).take();
}

}  // namespace floe::cli
