#include "actors/events.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <unordered_map>

#include "protocol/wire/visible.hpp"

namespace floe {
namespace {

// ---- printing ----

/// Quotes are replaced, and what acts on a terminal is shown, so that a line stays one line and can be read back.
void append_quoted(std::string& out, std::string_view v) {
  const auto at = out.size();
  out.append("\"").append(wire::visible(v));
  std::ranges::replace(out.begin() + static_cast<std::ptrdiff_t>(at) + 1, out.end(), '"', '\'');
  out += '"';
}

void append_word(std::string& out, std::string_view v) {
  const bool plain = !v.empty() && v.find("->") == v.npos && std::ranges::all_of(v, [](char c) {
    return c > ' ' && c != '"' && c != '\x7f';  // all else may have to be shown
  });
  if (plain)
    out += v;
  else
    append_quoted(out, v);
}

void append_value(std::string& out, std::uint64_t v) { out += std::to_string(v); }
void append_value(std::string& out, std::int64_t v) { out += std::to_string(v); }
void append_value(std::string& out, bool v) { out += v ? "true" : "false"; }
void append_value(std::string& out, generation v) { out += std::to_string(number(v)); }
void append_value(std::string& out, pnn v) {
  out += v == pnn::unknown ? "none" : std::to_string(number(v));
}
void append_value(std::string& out, std::string_view v) { append_word(out, v); }
void append_value(std::string& out, const std::vector<pnn>& v) {
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, v[i]);
  }
}

struct writer {
  std::string out;

  void start(std::string_view name) {
    if (!out.empty()) out += ' ';
    out.append(name).append("=");
  }
  template <class T>
  void change(const T& from, const T& to) {
    if (!out.empty()) out += ' ';
    append_value(out, from);
    out += "->";
    append_value(out, to);
  }
  template <class T>
  void field(std::string_view name, const T& v) {
    if constexpr (requires { v.empty(); })
      if (v.empty()) return;
    start(name);
    append_value(out, v);
  }
  void text(std::string_view name, std::string_view v) {
    if (v.empty()) return;
    start(name);
    append_quoted(out, v);
  }
  /// To the end of the line, as it is.
  void rest(std::string_view name, std::string_view v) {
    start(name);
    out += wire::visible(v);
  }
};

// ---- reading ----

/// Takes the fields of a line apart, from the left.
struct reader {
  std::string_view rest;
  bool good = true;

  /// The value at the start, quotes taken off, up to `end` or a space.
  std::string_view take_value(std::string_view end) {
    if (rest.starts_with('"')) {
      const auto close = rest.find('"', 1);
      if (close == rest.npos) return fail();
      const auto v = rest.substr(1, close - 1);
      rest.remove_prefix(close + 1);
      return v;
    }
    const auto v = rest.substr(0, std::min({rest.find(end), rest.find(' '), rest.size()}));
    rest.remove_prefix(v.size());
    return v;
  }
  std::string_view fail() {
    good = false;
    rest = {};
    return {};
  }
  bool take(std::string_view start) {
    if (!rest.starts_with(start)) return false;
    rest.remove_prefix(start.size());
    return true;
  }
  void skip_space() {
    if (!rest.empty() && !take(" ")) fail();
  }

  template <class T>
  void change(T& from, T& to) {
    value(take_value("->"), from);
    if (!take("->")) return void(fail());
    value(take_value(" "), to);
    skip_space();
  }
  /// A field that is not there keeps its default.
  template <class T>
  void field(std::string_view name, T& to) {
    if (!rest.starts_with(name) || !rest.substr(name.size()).starts_with('=')) return;
    rest.remove_prefix(name.size() + 1);
    value(take_value(" "), to);
    skip_space();
  }

  void to_the_end(std::string_view name, std::string_view& to) {
    if (!rest.starts_with(name) || !rest.substr(name.size()).starts_with('=')) return;
    to = rest.substr(name.size() + 1);
    rest = {};
  }

  template <class T>
  void digits(std::string_view v, T& to) {
    const auto r = std::from_chars(v.data(), v.data() + v.size(), to);
    if (r.ec != std::errc() || r.ptr != v.data() + v.size()) fail();
  }
  void value(std::string_view v, std::string_view& to) { to = v; }
  void value(std::string_view v, std::uint64_t& to) { digits(v, to); }
  void value(std::string_view v, std::int64_t& to) { digits(v, to); }
  void value(std::string_view v, bool& to) {
    if (v != "true" && v != "false") fail();
    to = v == "true";
  }
  void value(std::string_view v, generation& to) {
    std::uint32_t n = 0;
    digits(v, n);
    to = generation{n};
  }
  void value(std::string_view v, pnn& to) {
    if (v == "none") return void(to = pnn::unknown);
    std::uint32_t n = 0;
    digits(v, n);
    to = pnn{n};
  }
  void value(std::string_view v, std::vector<pnn>& to) {
    while (!v.empty()) {
      const auto comma = std::min(v.find(','), v.size());
      value(v.substr(0, comma), to.emplace_back());
      v.remove_prefix(std::min(comma + 1, v.size()));
    }
  }
};

// ---- the table ----

constexpr bool where_log = false, where_timeline = true;

#define FLOE_DB() " db=NAME"
#define FLOE_CHANGE(kind_, what) " FROM->TO"
#define FLOE_FIELD(kind_, name_) " " #name_ "=" #kind_
#define FLOE_EVENT(type, name, level_, where, fields_, meaning, cause, evidence, next) \
  event_info{name, log_level::level_, where_##where, "" fields_, meaning, cause, evidence, next},
constexpr event_info table[] = {
#include "actors/events.def"
};
#undef FLOE_EVENT
#undef FLOE_FIELD
#undef FLOE_CHANGE
#undef FLOE_DB

constexpr bool distinct() {
  for (std::size_t i = 0; i < std::size(table); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (table[i].name == table[j].name) return false;
  return true;
}
static_assert(distinct(), "two events have one name");
static_assert(std::size(table) < static_cast<std::size_t>(event_id::unknown));

}  // namespace

namespace event {

// What is written for each kind: text is always quoted, the others by append_value.
#define FLOE_DB() line.db = e.db;
#define FLOE_CHANGE(kind_, what) w.change(e.from, e.to);
#define FLOE_WRITE_word(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_text(name_) w.text(#name_, e.name_);
#define FLOE_WRITE_json(name_) w.rest(#name_, e.name_);
#define FLOE_WRITE_count(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_number(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_yes(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_node(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_gen(name_) w.field(#name_, e.name_);
#define FLOE_WRITE_nodes(name_) w.field(#name_, e.name_);
#define FLOE_FIELD(kind_, name_) FLOE_WRITE_##kind_(name_)
#define FLOE_EVENT(type, name, level, where, fields_, meaning, cause, evidence, next) \
  event_line line_of([[maybe_unused]] const type& e) {                                \
    event_line line{.id = event_id::type};                                            \
    writer w;                                                                         \
    fields_ line.fields = std::move(w.out);                                           \
    return line;                                                                      \
  }
#include "actors/events.def"
#undef FLOE_EVENT
#undef FLOE_FIELD
#undef FLOE_CHANGE
#undef FLOE_DB

#define FLOE_DB() e.db = line.db;
#define FLOE_CHANGE(kind_, what) r.change(e.from, e.to);
#define FLOE_READ_word(name_) r.field(#name_, e.name_);
#define FLOE_READ_text(name_) r.field(#name_, e.name_);
#define FLOE_READ_count(name_) r.field(#name_, e.name_);
#define FLOE_READ_number(name_) r.field(#name_, e.name_);
#define FLOE_READ_yes(name_) r.field(#name_, e.name_);
#define FLOE_READ_node(name_) r.field(#name_, e.name_);
#define FLOE_READ_gen(name_) r.field(#name_, e.name_);
#define FLOE_READ_nodes(name_) r.field(#name_, e.name_);
#define FLOE_READ_json(name_) r.to_the_end(#name_, e.name_);
#define FLOE_FIELD(kind_, name_) FLOE_READ_##kind_(name_)
#define FLOE_EVENT(type, name, level, where, fields_, meaning, cause, evidence, next) \
  bool read_event(const event_line& line, [[maybe_unused]] type& e) {                 \
    reader r{line.fields};                                                            \
    fields_ return r.good && r.rest.empty();                                          \
  }
#include "actors/events.def"
#undef FLOE_EVENT
#undef FLOE_FIELD
#undef FLOE_CHANGE
#undef FLOE_DB

}  // namespace event

const event_info& info(event_id id) { return table[static_cast<std::size_t>(id)]; }
std::span<const event_info> all_events() { return table; }

std::optional<event_id> find_event(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, event_id> all;
    for (std::size_t i = 0; i < std::size(table); ++i)
      all.emplace(table[i].name, static_cast<event_id>(i));
    return all;
  }();
  const auto at = by_name.find(name);
  if (at == by_name.end()) return std::nullopt;
  return at->second;
}

std::string_view name(const event_line& e) {
  if (e.id != event_id::unknown) return info(e.id).name;
  return std::string_view(e.fields).substr(0, e.fields.find(' '));
}

std::string text(const event_line& e) {
  if (e.id == event_id::unknown) return e.fields;
  std::string out(info(e.id).name);
  if (!e.db.empty()) {
    out += " db=";
    append_word(out, e.db);
  }
  if (!e.fields.empty()) out.append(" ").append(e.fields);
  return out;
}

std::optional<event_line> parse_event(std::string_view line) {
  const auto id = find_event(line.substr(0, line.find(' ')));
  if (!id) return std::nullopt;
  event_line e{.id = *id};
  reader r{line};
  r.take(info(*id).name);
  r.skip_space();
  if (r.take("db=")) {
    e.db = r.take_value(" ");
    r.skip_space();
  }
  if (!r.good) return std::nullopt;
  e.fields = r.rest;
  return e;
}

void each_field(const event_line& e, const std::function<void(const event_field&)>& to) {
  const auto give = [&](std::string_view name, std::string_view value) {
    const bool digits =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    to({name, value, digits && value.size() < 16});
  };
  reader r{e.fields};
  while (r.good && !r.rest.empty()) {
    const auto end = r.rest.find_first_of("= ");
    const auto arrow = r.rest.find("->");
    if (arrow < end || r.rest.starts_with('"')) {
      give("from", r.take_value("->"));
      if (!r.take("->")) return;
      give("to", r.take_value(" "));
    } else if (end == std::string_view::npos || r.rest[end] == ' ') {
      return;  // no field: of another version
    } else {
      const auto name = r.rest.substr(0, end);
      r.rest.remove_prefix(end + 1);
      give(name, r.take_value(" "));
    }
    r.skip_space();
  }
}

}  // namespace floe
