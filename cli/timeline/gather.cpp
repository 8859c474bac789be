#include "cli/timeline/gather.hpp"

#include <fmt/format.h>

#include "protocol/wire/json.hpp"

namespace floe::cli {
namespace {

double in_ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

void put_span(wire::json_writer& j, const char* name, const span& s) {
  j.begin_object();
  j.text(name, s.what);
  j.integer("from_us", s.from_us);
  j.integer("to_us", s.to_us);
  j.real("ms", in_ms(s.to_us - s.from_us));
  j.boolean("open", s.open);
  j.end();
}

}  // namespace

gathered_events gather_events(blocking_client& c, const std::vector<pnn>& nodes,
                              std::int64_t since_us, duration patience) {
  gathered_events g;
  const auto options = since_us > 0 ? fmt::format("{{\"since_us\":{}}}", since_us) : std::string();
  for (const auto& one :
       c.control_many(nodes, control::get_timeline,
                      encode_request<control::get_timeline>({options}), patience)) {
    const auto r = decode_answer<control::get_timeline>(one.reply, one.node);
    if (!r)
      g.missing.push_back({one.node, r.error().describe()});
    else if (!add_events(g.events, r->value.value))
      g.missing.push_back({one.node, "its report is not understood"});
  }
  sort_events(g.events);
  return g;
}

void put_picture(wire::json_writer& j, const timeline_picture& p,
                 const std::vector<silent_node>& missing) {
  j.integer("from_us", p.from_us);
  j.integer("to_us", p.to_us);
  j.begin_list("rows");
  for (const auto& r : p.rows) {
    j.begin_object();
    if (r.db.empty())
      j.null("db");
    else
      j.text("db", r.db);
    j.number("node", number(r.node));
    j.begin_list("spans");
    for (const auto& s : r.spans) put_span(j, "state", s);
    j.end();
    j.begin_list("marks");
    for (const auto& m : r.marks) {
      j.begin_object();
      j.text("sign", std::string_view(&m.sign, 1));
      j.integer("t_us", m.t_us);
      j.end();
    }
    j.end();
    j.end();
  }
  j.end();
  j.begin_list("recovery");
  for (const auto& s : p.stories) {
    j.begin_object();
    j.text("db", s.db);
    j.begin_list("phases");
    for (const auto& x : s.phases) put_span(j, "phase", x);
    j.end();
    j.end();
  }
  j.end();
  j.begin_list("events");
  for (const auto& e : p.events) {
    j.begin_object();
    put_event(j, e);
    j.end();
  }
  j.end();
  j.begin_list("unreachable");
  for (const auto& m : missing) {
    j.begin_object();
    j.number("node", number(m.node));
    j.text("why", m.why);
    j.end();
  }
  j.end();
}

}  // namespace floe::cli
