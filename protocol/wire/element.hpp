#pragma once
/// One value inside a type: a number, an array of values, or another wire type. Part of layout.hpp.
#include <array>
#include <type_traits>

#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/generator.hpp"
#include "protocol/wire/sink.hpp"

namespace floe::wire {

template <class M>
concept plain = std::is_arithmetic_v<M> || std::is_enum_v<M>;

template <class M>
scalar to_scalar(M v) {
  if constexpr (std::is_enum_v<M>) {
    return to_scalar(static_cast<std::underlying_type_t<M>>(v));
  } else if constexpr (std::is_floating_point_v<M>) {
    return scalar::real(v);
  } else if constexpr (std::is_signed_v<M>) {
    return scalar::integer(v);
  } else if constexpr (sizeof(M) == 8) {
    return scalar::hex(v);
  } else {
    return scalar::number(v);
  }
}

template <class M>
struct element {  // another wire type
  static constexpr bool fixed = requires { M::wire_size; };
  static constexpr std::size_t min_size = [] {
    if constexpr (fixed)
      return M::wire_size;
    else
      return M::wire_size_min;
  }();
  static void put(writer& w, const M& v) { codec<M>::put(w, v); }
  static void get(reader& r, const char*, M& v) { codec<M>::get(r, v); }
  static void show(sink& s, const char* name, const M& v, meaning) { codec<M>::show(s, name, v); }
  static M make(generator& g) { return codec<M>::make(g); }
  static std::size_t size(const M& v) {
    if constexpr (fixed)
      return min_size;
    else
      return codec<M>::size(v);
  }
};

template <plain M>
struct element<M> {
  static constexpr bool fixed = true;
  static constexpr std::size_t min_size = sizeof(M);
  static void put(writer& w, M v) { w.number(v); }
  static void get(reader& r, const char* field, M& v) {
    if constexpr (std::is_same_v<M, bool>) {
      const std::size_t place = r.offset();
      const auto n = r.number<std::uint8_t>(field);
      if (n > 1) r.fail_at(place, field, fault::bad_value, 1, n);
      v = n == 1;
    } else {
      v = r.number<M>(field);
    }
  }
  static void show(sink& s, const char* name, M v, meaning says) {
    s.show(name, to_scalar(v), sizeof(M), says != nullptr ? says : meaning_of<M>);
  }
  static M make(generator& g) {
    if constexpr (std::is_floating_point_v<M>)
      return static_cast<M>(g.real());
    else if constexpr (std::is_same_v<M, bool>)
      return g.coin();
    else
      return static_cast<M>(g.number(sizeof(M)));
  }
  static std::size_t size(M) { return sizeof(M); }
};

template <class E, std::size_t N>
struct element<std::array<E, N>> {
  static_assert(element<E>::fixed);
  static constexpr bool fixed = true;
  static constexpr std::size_t min_size = N * element<E>::min_size;
  static void put(writer& w, const std::array<E, N>& v) {
    for (const E& e : v) element<E>::put(w, e);
  }
  static void get(reader& r, const char* field, std::array<E, N>& v) {
    for (E& e : v) element<E>::get(r, field, e);
  }
  static void show(sink& s, const char* name, const std::array<E, N>& v, meaning says) {
    s.begin_list(name);
    for (const E& e : v) element<E>::show(s, "", e, says);
    s.end();
  }
  static std::array<E, N> make(generator& g) {
    std::array<E, N> v{};
    for (E& e : v) e = element<E>::make(g);
    return v;
  }
  static std::size_t size(const std::array<E, N>&) { return min_size; }
};

}  // namespace floe::wire
