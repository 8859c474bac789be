#include "protocol/rules/describe.hpp"

#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "protocol/constants.hpp"
#include "protocol/rules/fields/all.hpp"

namespace floe {
namespace {

using namespace rule_fields;

// ---- values ----

std::string text(std::unsigned_integral auto v) { return std::to_string(v); }
std::string text(pnn p) { return p == pnn::unknown ? "?" : std::to_string(number(p)); }
std::string text(db_id db) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number(db), 16).ptr;
  return "0x" + std::string(digits.data(), end);
}
std::string text(duration d) {
  using namespace std::chrono;
  if (d % seconds(1) == duration::zero()) return std::to_string(d / seconds(1)) + "s";
  if (d % milliseconds(1) == duration::zero()) return std::to_string(d / milliseconds(1)) + "ms";
  return std::to_string(d.count()) + "ns";
}
std::string text(std::string_view v) {
  if (!v.empty() && v.find_first_of(" \"") == v.npos) return std::string(v);
  return '"' + std::string(v) + '"';
}
std::string text(const std::string& v) { return text(std::string_view(v)); }

template <class E>
requires std::is_enum_v<E> std::string text(E v) {
  if constexpr (requires { names_of(of<E>{}); })
    return std::string(names_of(of<E>{}).at(static_cast<std::size_t>(v)));
  else if constexpr (requires { name(v); })
    return text(name(v));
  else
    return std::to_string(number(v));
}

std::string text(const priority_time& t) {
  return std::to_string(t.seconds) +
         (t.microseconds ? "+" + std::to_string(t.microseconds) + "us" : "");
}
std::string text(const db_plan::participant& p) {
  return text(p.node) + (p.took_part ? "" : ":missed") + (p.leaves ? ":leaves" : "");
}
std::string text(const db_lack& l) { return text(l.node) + ":" + text(l.records); }
/// "76:complete:75+74": the content's generation, what is known of its changes, and since which others.
std::string text(const db_copy& c) {
  std::string s = text(c.content) + ":" + std::string(name(c.changes));
  for (const generation g : c.earlier) s += (g == c.earlier.front() ? ":" : "+") + text(g);
  return s;
}
/// "75:77+76+75": the generation in which it was written, and all that it came from.
std::string text(const content_past& p) {
  std::string s = text(p.written);
  for (const generation g : p.from) s += (g == p.from.front() ? ":" : "+") + text(g);
  return s;
}
std::string with_flags(const std::string& what, std::uint8_t flags) {
  return flags == 0 ? what : what + ":" + db_flags_text(flags);
}
std::string text(const db_plan::copy& c) { return with_flags(text(c.node), c.flags); }
std::string text(const lineage& l) {
  return text(l.gen) + "(" + describe(l.members) + ")" + (l.committed ? "committed" : "");
}
std::string text(const cluster_event::listed::entry& e) {
  return with_flags(text(e.db), e.flags) + (e.line ? "@" + text(*e.line) : "");
}
std::string text(const evidence& e) {
  return text(std::string_view(describe(e) + (e.credit ? " (credit)" : "")));
}
template <class T>
std::string text(const std::vector<T>& list) {
  std::string s;
  for (const auto& entry : list) s += (s.empty() ? "" : ",") + text(entry);
  return s;
}
template <class T>
std::string text(const std::optional<T>& v) {
  return v ? text(*v) : "";
}

// ---- fields ----

/// Whether a field says something: who, where and when always do.
template <class T>
bool says_something(const T& v) {
  if constexpr (std::is_arithmetic_v<T>)
    return v != T{};
  else if constexpr (std::same_as<T, generation>)
    return v != generation::invalid;
  else if constexpr (std::same_as<T, freeze_refusal>)
    return v != freeze_refusal::none;
  else if constexpr (std::same_as<T, duration>)
    return v != T::zero();
  else if constexpr (requires { v.has_value(); })
    return v.has_value();
  else if constexpr (requires { v.empty(); })
    return !v.empty();
  else
    return true;
}

template <described T>
void append_fields(std::string& out, const T& value);

template <class T>
void append_field(std::string& out, std::string_view name, const T& value, const T& usual) {
  if constexpr (described<T>) {
    append_fields(out, value);  // a part of the event: its fields are the event's
  } else if constexpr (std::same_as<T, bool>) {
    if (value == usual) return;
    out += (out.empty() ? "" : " ") + std::string(name) + (value ? "" : "=no");
  } else if (says_something(value)) {
    out += (out.empty() ? "" : " ") + std::string(name) + "=" + text(value);
  }
}

template <described T>
void append_fields(std::string& out, const T& value) {
  [[maybe_unused]] static const T usual{};
  std::apply(
      [&](const auto&... row) {
        (append_field(out, row.name, value.*row.member, usual.*row.member), ...);
      },
      fields_of(of<T>{}).fields);
}

template <described T>
std::string line(const T& event) {
  std::string out(fields_of(of<T>{}).name);
  append_fields(out, event);
  return out;
}

template <class... Events>
std::string line(const std::variant<Events...>& event) {
  return std::visit([](const auto& e) { return line(e); }, event);
}

}  // namespace

std::string describe(const freeze_input& e) { return line(e); }
std::string describe(const freeze_status& s) {
  std::string out(name(s.state));
  append_field(out, "tid", s.tid, generation::invalid);
  append_field(out, "wiped", s.wiped, false);
  append_field(out, "pushing", s.pushing, false);
  append_field(out, "outside", s.outside, false);
  append_field(out, "recovered", s.recovered, false);
  append_field(out, "records_invalid", s.records_invalid, false);
  append_field(out, "replaced", s.replaced, false);
  return out;
}
std::string describe(const freeze_step& s) {
  if (s.refused != freeze_refusal::none) return "refused: " + std::string(name(s.refused));
  std::string effects;
  append_fields(effects, s);
  return describe(s.next) + (effects.empty() ? "" : ": " + effects);
}

std::string describe(const db_input& e) { return line(e); }
std::string describe(const db_output& e) { return line(e); }
std::string describe(const cluster_input& e) { return line(e); }
std::string describe(const cluster_output& e) { return line(e); }
std::string describe(const election_input& e) { return line(e); }
std::string describe(const election_output& e) { return line(e); }

std::string describe(const watch_input& e) { return line(e); }
std::string describe(const watch_output& e) { return line(e); }

std::string describe(const joining_input& e) { return line(e); }
std::string describe(const joining_output& e) { return line(e); }

std::string describe(const pair_status& s) {
  return text(s.now) + " out=" + text(s.out) + (s.in ? " in" : "") + (s.aside ? " aside" : "") +
         (s.recognisable ? " recognisable" : "") + (s.doubt ? " doubt" : "");
}
std::string describe(pair_event e) { return text(e); }
std::string describe(const pair_step& s) {
  std::string effects;
  append_fields(effects, s);
  return describe(s.next) + (effects.empty() ? "" : ": " + effects);
}

}  // namespace floe
