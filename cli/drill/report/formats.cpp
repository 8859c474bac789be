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
    j.integer("longest_wait_us", f.longest_wait_us);
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
  // stands in strings only; what follows it could end the element that the data are put into
  for (std::size_t i = 0; (i = data.find('<', i)) != std::string::npos; i += 6)
    data.replace(i, 1, "\\u003c");
  std::string page(page_html);
  constexpr std::string_view place = "@RUN@";
  return page.replace(page.find(place), place.size(), data);
}

}  // namespace floe::cli
