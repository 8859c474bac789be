/// The forms in which a run is kept: JSON, and the page.
#include <fmt/format.h>

#include <algorithm>

#include "cli/drill/report/page.hpp"
#include "cli/drill/report/run_record.hpp"
#include "cli/timeline/gather.hpp"

namespace floe::cli {
namespace {

void put_counts(wire::json_writer& j, const char* name, const std::vector<std::uint32_t>& counts) {
  j.begin_list(name);
  for (const auto n : counts) j.number({}, n);
  j.end();
}

/// A list of objects.
template <class All, class Put>
void put_list(wire::json_writer& j, const char* name, const All& all, Put put) {
  j.begin_list(name);
  for (const auto& one : all) {
    j.begin_object();
    put(one);
    j.end();
  }
  j.end();
}

void put_fault(wire::json_writer& j, const run_fault& f) {
  j.integer("from_us", f.from_us);
  j.integer("to_us", std::max(f.from_us, f.to_us));
  j.text("what", f.what);
  j.integer("longest_wait_us", f.longest_wait_us);
}

void put_check(wire::json_writer& j, const run_check& c) {
  j.integer("t_us", c.t_us);
  j.text("what", c.what);
  j.boolean("good", c.good);
  j.text("detail", c.detail);
  j.real("seconds", c.seconds);
}

void put_throughput(wire::json_writer& j, const run_throughput& t) {
  j.begin_object("throughput");
  j.integer("bucket_us", t.bucket_us);
  put_counts(j, "done", t.done);
  put_counts(j, "failed", t.failed);
  put_counts(j, "waiting", t.waiting);
  j.end();
}

void put_use(wire::json_writer& j, const run_use& u) {
  j.text("what", u.what);
  j.text("who", u.who);
  j.text("db", u.db);
  j.text("key", u.key);
  j.number("node", number(u.node));
  j.integer("from_us", u.from_us);
  j.integer("to_us", u.to_us);
  j.text("end", u.end);
}

void put_unavailable(wire::json_writer& j, const unavailability& u) {
  j.text("db", u.db);
  j.integer("longest_us", u.longest_us);
  j.number("node", number(u.node));
  j.integer("total_us", u.total_us);
  j.integer("longest_wait_us", u.longest_wait_us);
  j.begin_list("by_fault_us");
  for (const auto n : u.by_fault_us) j.integer({}, n);
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
  put_list(j, "nodes", r.nodes, [&](const auto& n) {
    j.number("pnn", number(n.node));
    j.text("kind", n.kind);
  });
  put_list(j, "faults", r.faults, [&](const auto& f) { put_fault(j, f); });
  put_list(j, "checks", r.checks, [&](const auto& c) { put_check(j, c); });
  put_throughput(j, r.throughput);
  put_list(j, "uses", r.uses, [&](const auto& u) { put_use(j, u); });
  put_list(j, "unavailable", unavailable_times(r), [&](const auto& u) { put_unavailable(j, u); });
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
  // stands in strings only; what follows it could end the element that the data are put into
  for (std::size_t i = 0; (i = data.find('<', i)) != std::string::npos; i += 6)
    data.replace(i, 1, "\\u003c");
  std::string page(page_html);
  constexpr std::string_view place = "@RUN@";
  return page.replace(page.find(place), place.size(), data);
}

}  // namespace floe::cli
