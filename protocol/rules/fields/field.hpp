#pragma once
/// How the fields of a machine's events and effects are named: once, for the printer (describe.hpp) and for the
/// parser of rule scripts (tests/rules). One header per machine in this folder has a row for each of its types:
///
///     constexpr auto fields_of(of<freeze_event::begin>) {
///       return event("begin", field("tid", &freeze_event::begin::tid), ...);
///     }
///
/// Included by describe.cpp and by that parser only; a new header here has a line in fields/all.hpp.
#include <array>
#include <string_view>
#include <tuple>

namespace floe::rule_fields {

template <class T>
struct of {};

template <class T, class Value>
struct field_row {
  std::string_view name;
  Value T::*member;
};
template <class T, class Value>
constexpr field_row<T, Value> field(std::string_view name, Value T::*member) {
  return {name, member};
}

template <class... Rows>
struct event_row {
  std::string_view name;
  std::tuple<Rows...> fields;
};
template <class... Rows>
constexpr event_row<Rows...> event(std::string_view name, Rows... fields) {
  return {name, {fields...}};
}

/// The words for an enumeration that has no name() of its own, in the order of its values. One that has says only
/// which value is the last: last_of(of<E>).
template <class... Texts>
constexpr std::array<std::string_view, sizeof...(Texts)> names(Texts... texts) {
  return {texts...};
}

template <class T>
concept described = requires {
  fields_of(of<T>{});
};

}  // namespace floe::rule_fields
