#pragma once
/// The machinery behind codec.hpp: rows of which a layout is made, and the definition of codec<T>
/// from a layout. Only the .cpp file that holds a type's layout includes this, and ends with
/// `template struct wire::codec<T>;`.
///
///   constexpr auto layout(wire::of<ban_state>) {
///     return wire::record("ban_state", wire::field("pnn", &ban_state::pnn),
///                         wire::field("time", &ban_state::time));
///   }
///
/// A row is a struct with min_size, fixed, takes_rest and five functions: put (encode), get
/// (decode), show (print), make (random value), size. A type that no row here fits has a row of its
/// own in its .cpp file.
#include <tuple>

#include "protocol/wire/byte_rows.hpp"
#include "protocol/wire/rows.hpp"

namespace floe::wire {

template <class T>
struct of {};

/// A type with named fields.
template <class... Rows>
struct record_layout {
  static constexpr std::size_t min_size = (std::size_t{0} + ... + Rows::min_size);
  static constexpr bool fixed = (true && ... && Rows::fixed);
  static constexpr bool takes_rest = (false || ... || Rows::takes_rest);
  const char* name;
  std::tuple<Rows...> rows;

  void put(writer& w, const auto& v) const {
    std::apply([&](const auto&... row) { (row.put(w, v), ...); }, rows);
  }
  void get(reader& r, auto& v) const {
    std::apply([&](const auto&... row) { (row.get(r, v), ...); }, rows);
  }
  void show(sink& s, const char* as, const auto& v) const {
    s.begin_object(as);
    std::apply([&](const auto&... row) { (row.show(s, v), ...); }, rows);
    s.end();
  }
  void make(generator& g, auto& v) const {
    std::apply([&](const auto&... row) { (row.make(g, v), ...); }, rows);
  }
  std::size_t size(const auto& v) const {
    if constexpr (fixed)
      return min_size;
    else
      return std::apply([&](const auto&... row) { return (std::size_t{0} + ... + row.size(v)); },
                        rows);
  }
};
template <class... Rows>
constexpr auto record(const char* name, Rows... rows) {
  return record_layout<Rows...>{name, {rows...}};
}

/// A type that is shown as its one value.
template <class Row>
struct bare_layout {
  static constexpr std::size_t min_size = Row::min_size;
  static constexpr bool fixed = Row::fixed;
  static constexpr bool takes_rest = Row::takes_rest;
  const char* name;
  Row row;

  void put(writer& w, const auto& v) const { row.put(w, v); }
  void get(reader& r, auto& v) const { row.get(r, v); }
  void show(sink& s, const char* as, const auto& v) const {
    Row named = row;
    named.name = as;
    named.show(s, v);
  }
  void make(generator& g, auto& v) const { row.make(g, v); }
  std::size_t size(const auto& v) const { return row.size(v); }
};
template <class Row>
constexpr auto bare(const char* name, Row row) {
  return bare_layout<Row>{name, row};
}

// What codec.hpp declares, from layout(of<T>).

template <class T>
void codec<T>::put(writer& w, const T& v) {
  static constexpr auto l = layout(of<T>{});
  l.put(w, v);
}

template <class T>
void codec<T>::get(reader& r, T& v) {
  static constexpr auto l = layout(of<T>{});
  const char* outer = r.enter(l.name);
  l.get(r, v);
  r.enter(outer);
}

template <class T>
void codec<T>::show(sink& s, const char* name, const T& v) {
  static constexpr auto l = layout(of<T>{});
  l.show(s, name, v);
}

template <class T>
T codec<T>::make(generator& g) {
  static constexpr auto l = layout(of<T>{});
  T v{};
  l.make(g, v);
  return v;
}

template <class T>
std::size_t codec<T>::size(const T& v) {
  static constexpr auto l = layout(of<T>{});
  return l.size(v);
}

template <class T>
const type_info& codec<T>::info() {
  static constexpr auto l = layout(of<T>{});
  if constexpr (requires { T::wire_size; }) static_assert(l.fixed && l.min_size == T::wire_size);
  if constexpr (requires { T::wire_size_min; }) static_assert(l.min_size == T::wire_size_min);
  static constexpr type_info i{
      .name = l.name,
      .min_size = l.min_size,
      .fixed_size = l.fixed,
      .takes_rest = l.takes_rest,
      .measure = [](byte_view in) -> std::expected<std::size_t, error> {
        auto p = decode_prefix<T>(in);
        if (!p) return std::unexpected(p.error());
        return p->size;
      },
      .show = [](byte_view in, sink& s, const char* name) -> std::expected<void, error> {
        auto v = decode<T>(in);
        if (!v) return std::unexpected(v.error());
        show(s, name, *v);
        return {};
      },
      .reencode = [](byte_view in) -> std::expected<bytes, error> {
        auto v = decode<T>(in);
        if (!v) return std::unexpected(v.error());
        return encode(*v);
      },
      .generate = [](generator& g) { return encode(make(g)); },
  };
  return i;
}

}  // namespace floe::wire
