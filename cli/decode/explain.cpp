#include "cli/decode/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/message_id.hpp"
#include "cli/decode/lookup.hpp"
#include "cli/decode/type_shape.hpp"
#include "cli/output.hpp"
#include "cli/whole_number.hpp"
#include "protocol/constants.hpp"
#include "protocol/tunable_effects.hpp"

namespace floe::cli {
namespace {

/// Both forms of one explanation are made side by side.
class page {
 public:
  page(std::string_view kind, std::string_view name, std::string_view what, bool colours)
      : colours_(colours) {
    text_ = paint(style::bold, name, colours) + ", " + std::string(what) + "\n";
    json.begin_object();
    json.text("kind", kind);
    json.text("name", name);
  }

  void line(std::string_view label, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("  {:<10} {}\n", label, value);
  }
  void text(const char* member, std::string_view label, std::string_view value) {
    line(label, value);
    json.text(member, value);
  }

  void type(const char* member, std::string_view label, const wire::type_info& t) {
    json.begin_object(member);
    json.text("type", t.name);
    json.number("min_size", t.min_size);
    json.boolean("fixed_size", t.fixed_size);
    json.begin_list("fields");
    if (std::string_view(t.name) == "-") {
      line(label, "nothing");
    } else {
      line(label,
           fmt::format("{}, {}{} bytes", t.name, t.fixed_size ? "" : "at least ", t.min_size));
      fields(shape_of(t));
    }
    json.end();
    json.end();
  }

  explanation take() {
    json.end();
    return {std::move(text_), json.take()};
  }

  wire::json_writer json;

 private:
  void fields(const std::vector<shape_field>& all) {
    table t({{"OFFSET", true}, {"SIZE", true}, {"KIND"}, {"FIELD"}});
    for (const auto& f : all) {
      const bool fixed = f.min_size == f.max_size;
      const auto name = f.path.empty() ? std::string("(the value)") : f.path;
      t.row({f.offset ? std::to_string(*f.offset) : std::string("-"),
             fixed ? std::to_string(f.min_size) : std::string("varies"),
             {f.kind, style::dim},
             name + (f.always || f.in_list ? "" : " (optional)")});
      json.begin_object();
      json.text("field", f.path);
      json.text("kind", f.kind);
      if (f.offset)
        json.number("offset", *f.offset);
      else
        json.null("offset");
      if (fixed)
        json.number("size", f.min_size);
      else
        json.null("size");
      json.boolean("optional", !f.always && !f.in_list);
      json.end();
    }
    const auto rows = t.text(colours_);
    for (std::size_t begin = 0; begin < rows.size();) {
      const auto end = rows.find('\n', begin);
      text_ += "      " + rows.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
  }

  bool colours_;
  std::string text_;
};

std::string_view sender_name(sender s) {
  return s == sender::local ? "local" : s == sender::any ? "any" : "daemon";
}

std::string_view sender_text(sender s) {
  switch (s) {
    case sender::local: return "only clients of the node itself";
    case sender::any: return "clients, of this node or through another";
    case sender::daemon: return "nodes and their helpers";
  }
  return {};
}

std::string size_text(size_rule r) {
  switch (r.is) {
    case size_rule::kind::exact: return "one value and not a byte more";
    case size_rule::kind::at_least:
      return fmt::format("at least {} bytes, more may follow the value", r.min);
    case size_rule::kind::unchecked: return "a value, and whatever follows it";
    case size_rule::kind::terminated: return "a text that ends with its NUL";
  }
  return {};
}

std::string_view size_name(size_rule r) {
  switch (r.is) {
    case size_rule::kind::exact: return "exact";
    case size_rule::kind::at_least: return "at_least";
    case size_rule::kind::unchecked: return "unchecked";
    case size_rule::kind::terminated: return "terminated";
  }
  return {};
}

explanation of_control(const control_info& c, bool colours) {
  struct trait_row {
    std::uint8_t bit;
    const char* name;
    const char* text;
  };
  constexpr trait_row traits[] = {
      {control_trait::late, "late", "may answer after a while"},
      {control_trait::by_srvid, "by_srvid", "its argument is the srvid of the packet"},
      {control_trait::later, "later", "came after CTDB 4.17"},
      {control_trait::own, "own", "floe's own, unknown to ctdbd"},
      {control_trait::obsolete, "obsolete", "obsolete"},
  };
  page p("control", c.name, fmt::format("control {}", number(c.opcode)), colours);
  p.json.number("opcode", number(c.opcode));
  p.text("does", "does", c.does);
  p.json.text("sender", sender_name(c.from));
  p.json.begin_list("traits");
  for (const auto& t : traits)
    if (c.is(t.bit)) p.json.text("", t.name);
  p.json.end();
  if (c.is(control_trait::obsolete)) return p.take();
  p.line("sent by", sender_text(c.from));
  p.type("request", "request", *c.request);
  p.json.text("size_rule", size_name(c.size));
  p.line("size", size_text(c.size));
  p.type("reply", "reply", *c.reply);
  p.text("answers", "answers", c.answers);
  for (const auto& t : traits)
    if (c.is(t.bit)) p.line("note", t.text);
  return p.take();
}

explanation of_message(const message_info& m, bool colours) {
  const bool range = m.mask != ~std::uint64_t{0};
  page p("message", m.name,
         fmt::format("message {}{}", range ? "to srvids from " : "to srvid ",
                     wire::hex64_text(number(m.first))),
         colours);
  p.json.hex64("srvid", number(m.first));
  p.json.hex64("mask", m.mask);
  p.text("meaning", "says", m.meaning);
  p.type("payload", "payload", *m.type);
  p.json.boolean("later", m.is == message_info::trait::later);
  p.json.boolean("obsolete", m.is == message_info::trait::obsolete);
  if (m.is == message_info::trait::later) p.line("note", "came after CTDB 4.17");
  if (m.is == message_info::trait::obsolete) p.line("note", "obsolete, nobody sends it");
  if (range) p.line("note", "a range: the bits " + wire::hex64_text(~m.mask) + " are free");
  return p.take();
}

explanation of_operation(const operation_row& o, bool colours) {
  const auto op = static_cast<std::uint32_t>(o.op);
  page p("operation", operation_name(o.op), fmt::format("operation {}", op), colours);
  p.json.number("operation", op);
  p.text("does", "does", o.does);
  p.text("answered_by", "answered by", o.answered_by);
  p.type("header", "header", wire::codec<raw_header>::info());
  p.type("body", "body", *o.body);
  return p.take();
}

explanation of_flag(const flag_row& f, bool colours) {
  page p("flag", f.name, fmt::format("{} {:#x}", f.group.name, f.bits), colours);
  p.text("group", "is a", f.group.name);
  p.json.number("value", f.bits);
  p.text("where", "used", f.group.where);
  std::string others;
  for (const auto& other : all_flags())
    if (std::string_view(other.group.name) == f.group.name)
      others += fmt::format("{}{}={:#x}", others.empty() ? "" : " ", other.name, other.bits);
  p.line("all", others);
  return p.take();
}

explanation of_tunable(const tunable_info& t, bool colours) {
  page p("tunable", t.name, t.obsolete ? "obsolete tunable" : "tunable", colours);
  p.json.number("index", static_cast<std::uint64_t>(t.which));
  p.text("meaning", "means",
         t.obsolete ? "nothing any more: it can be set and read, and has no effect" : t.meaning);
  p.text("unit", "unit", t.unit);
  p.json.number("default", t.value);
  p.line("default", std::to_string(t.value));
  p.json.boolean("obsolete", t.obsolete);
  p.json.boolean("own", t.own);
  if (t.own) p.line("note", "floe's own, unknown to ctdbd");
  if (const auto why = why_without_effect(t.which); !why.empty() && !t.obsolete)
    p.text("no_effect", "no effect", why);
  return p.take();
}

explanation of_type(const wire::type_info& t, bool colours) {
  page p("type", t.name, "type", colours);
  p.type("layout", "layout", t);
  std::string users;
  const auto used_by = [&](const wire::type_info& other, std::string_view name,
                           std::string_view as) {
    if (std::string_view(other.name) == t.name)
      users += fmt::format("{}{} ({})", users.empty() ? "" : ", ", name, as);
  };
  for (const auto& c : all_controls()) {
    if (c.is(control_trait::obsolete)) continue;
    used_by(*c.request, c.name, "request");
    used_by(*c.reply, c.name, "reply");
  }
  for (const auto& m : all_messages()) used_by(*m.type, m.name, "message");
  p.text("used_by", "used by", users);
  return p.take();
}

explanation of_event(const event_info& e, bool colours) {
  page p("event", e.name, "event of a node's log", colours);
  p.text("meaning", "says", e.meaning);
  p.text("cause", "cause", e.cause);
  p.text("evidence", "evidence", e.evidence);
  p.text("next", "next", e.next);
  p.text("level", "level", to_string(e.level));
  p.json.text("message_id", message_id(e.name));
  p.line("journal", "MESSAGE_ID=" + message_id(e.name));
  p.json.boolean("on_timeline", e.on_timeline);
  p.line("kept", e.on_timeline ? "in the log, and on the timeline: `floe timeline`" : "in the log");
  const auto fields = e.fields.substr(std::min(e.fields.find_first_not_of(' '), e.fields.size()));
  p.text("fields", "fields", fields);
  return p.take();
}

explanation of_range(std::uint64_t id, bool colours) {
  std::string_view owner = "nobody in particular";
  for (const auto& r : srvid_ranges())
    if (r.top == id >> 56) owner = r.owner;
  page p("srvid", wire::hex64_text(id), "srvid without a meaning of its own", colours);
  p.text("owner", "belongs to", owner);
  return p.take();
}

}  // namespace

std::vector<explanation> explain(std::string_view name, bool colours) {
  std::vector<explanation> out;
  if (const auto n = number_or_hex<std::uint64_t>(name)) {
    if (const auto* c = control_called(name)) {
      out.push_back(of_control(*c, colours));
    } else if (*n > 0xFFFFFFFF) {
      const auto* m = find_message(srvid{*n});
      out.push_back(m != nullptr ? of_message(*m, colours) : of_range(*n, colours));
    } else {
      for (const auto& o : all_operations())
        if (static_cast<std::uint32_t>(o.op) == *n) out.push_back(of_operation(o, colours));
    }
    return out;
  }
  if (const auto* c = control_called(name)) out.push_back(of_control(*c, colours));
  for (const auto& m : all_messages())
    if (same_name(name, m.name)) out.push_back(of_message(m, colours));
  for (const auto& o : all_operations())
    if (same_name(name, operation_name(o.op))) out.push_back(of_operation(o, colours));
  for (const auto& f : all_flags())
    if (same_name(name, f.name)) out.push_back(of_flag(f, colours));
  if (const auto* t = find_tunable(name)) out.push_back(of_tunable(*t, colours));
  for (const auto* t : all_types())
    if (same_name(name, t->name)) out.push_back(of_type(*t, colours));
  for (const auto& e : all_events())
    if (same_name(name, e.name)) out.push_back(of_event(e, colours));
  return out;
}

std::vector<explanation> explain_all_events() {
  std::vector<explanation> out;
  for (const auto& e : all_events()) out.push_back(of_event(e, false));
  return out;
}

}  // namespace floe::cli
