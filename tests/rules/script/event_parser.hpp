#pragma once
/// Words of a rule script into an event of a machine, by the names in protocol/rules/fields: what describe() prints
/// can be read back. A field that is not given keeps the value that `preset` holds (a run, a phase).
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "protocol/rules/fields/all.hpp"
#include "tests/rules/script/words.hpp"

namespace floe::rule_script {

using namespace rule_fields;

// ---- values: each from the text that describe() prints for it ----

inline void parse(const std::string& text, std::string& to) { to = text; }

void parse(const std::string& text, duration& to);  ///< 10s, 500ms
void parse(const std::string& text, bool& to);      ///< yes, no
void parse(const std::string& text, pnn& to);       ///< a number, or ?
void parse(const std::string& text, priority_time& to);
void parse(const std::string& text, db_plan::participant& to);          ///< 1, 1:missed, 1:leaves
void parse(const std::string& text, db_lack& to);                       ///< 1:5
void parse(const std::string& text, db_copy& to);                       ///< 76:complete:75
void parse(const std::string& text, content_past& to);                  ///< 75:77+76+75
void parse(const std::string& text, db_plan::copy& to);                 ///< 1, 1:PERSISTENT
void parse(const std::string& text, cluster_event::listed::entry& to);  ///< 0x1, 0x1:PERSISTENT
void parse(const std::string& text, evidence& to);    ///< only by verbs: a mistake
std::uint64_t parse_number(const std::string& text);  ///< decimal, or hex after 0x
std::uint8_t parse_db_flags(std::string_view text);   ///< PERSISTENT|STICKY
std::vector<std::string> parts(std::string_view text, char separator);

template <std::unsigned_integral T>
void parse(const std::string& text, T& to) {
  to = static_cast<T>(parse_number(text));
}

template <class E>
requires std::is_enum_v<E>
void parse(const std::string& text, E& to) {
  if constexpr (requires { names_of(of<E>{}); }) {
    std::string all;
    for (std::size_t i = 0; i < names_of(of<E>{}).size(); ++i) {
      if (names_of(of<E>{})[i] == text) return void(to = static_cast<E>(i));
      all += " " + std::string(names_of(of<E>{})[i]);
    }
    throw mistake("\"" + text + "\" is none of" + all);
  } else if constexpr (requires { last_of(of<E>{}); }) {
    std::string all;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(last_of(of<E>{})); ++i) {
      if (name(static_cast<E>(i)) == text) return void(to = static_cast<E>(i));
      all += " " + std::string(name(static_cast<E>(i)));
    }
    throw mistake("\"" + text + "\" is none of" + all);
  } else {
    to = static_cast<E>(parse_number(text));
  }
}

template <class T>
void parse(const std::string& text, std::vector<T>& to) {
  to.clear();
  for (const auto& part : parts(text, ',')) parse(part, to.emplace_back());
}
template <class T>
void parse(const std::string& text, std::optional<T>& to) {
  parse(text, to.emplace());
}

// ---- events ----

template <described T>
void take_fields(words& from, T& event) {
  const auto take = [&]<class Row>(const Row& row) {
    auto& value = event.*row.member;
    using value_type = std::remove_reference_t<decltype(value)>;
    if constexpr (described<value_type>) {
      take_fields(from, value);
    } else {
      if (auto given = from.option(row.name)) return parse(*given, value);
      if constexpr (std::same_as<value_type, bool>)
        if (from.flag(row.name)) value = true;
    }
  };
  std::apply([&](const auto&... row) { (take(row), ...); }, fields_of(of<T>{}).fields);
}

/// The event that `from` names, or nothing. `preset` is called with it before its fields are taken.
template <class Variant, std::size_t I = 0>
std::optional<Variant> parse_event(words& from, auto&& preset) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return std::nullopt;
  } else {
    using event_type = std::variant_alternative_t<I, Variant>;
    if (fields_of(of<event_type>{}).name != from.name())
      return parse_event<Variant, I + 1>(from, preset);
    event_type event{};
    preset(event);
    take_fields(from, event);
    from.finish();
    return Variant(std::in_place_index<I>, std::move(event));
  }
}

/// The names of all events of a machine.
template <class... Events>
std::vector<std::string_view> event_names(const std::variant<Events...>*) {
  return {fields_of(of<Events>{}).name...};
}

}  // namespace floe::rule_script
