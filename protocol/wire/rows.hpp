#pragma once
/// Rows of a layout that hold numbers, padding, lists and other types. Part of layout.hpp.
#include <optional>
#include <vector>

#include "protocol/wire/element.hpp"

namespace floe::wire {

/// A member that takes its own place.
template <class T, class M>
struct field_row {
  static constexpr std::size_t min_size = element<M>::min_size;
  static constexpr bool fixed = element<M>::fixed;
  static constexpr bool takes_rest = false;
  const char* name;
  M T::*member;
  meaning says;
  void put(writer& w, const T& v) const { element<M>::put(w, v.*member); }
  void get(reader& r, T& v) const { element<M>::get(r, name, v.*member); }
  void show(sink& s, const T& v) const { element<M>::show(s, name, v.*member, says); }
  void make(generator& g, T& v) const { v.*member = element<M>::make(g); }
  std::size_t size(const T& v) const { return element<M>::size(v.*member); }
};
template <class T, class M>
constexpr auto field(const char* name, M T::*member, meaning says = nullptr) {
  return field_row<T, M>{name, member, says};
}

/// A number that travels but is not shown, such as the tail of a C structure that must be kept.
template <class T, plain M>
struct hidden_row {
  static constexpr std::size_t min_size = sizeof(M);
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  const char* name;
  M T::*member;
  void put(writer& w, const T& v) const { w.number(v.*member); }
  void get(reader& r, T& v) const { v.*member = r.number<M>(name); }
  void show(sink& s, const T& v) const { s.hide(name, to_scalar(v.*member), sizeof(M)); }
  void make(generator& g, T& v) const { v.*member = element<M>::make(g); }
  std::size_t size(const T&) const { return sizeof(M); }
};
template <class T, class M>
constexpr auto kept(const char* name, M T::*member) {
  return hidden_row<T, M>{name, member};
}

/// Bytes without meaning: zero in what we send, anything in what we get.
template <std::size_t N>
struct pad_row {
  static constexpr std::size_t min_size = N;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  void put(writer& w, const auto&) const { w.zeros(N); }
  void get(reader& r, auto&) const { r.skip("padding", N); }
  void show(sink& s, const auto&) const { s.pad(N); }
  void make(generator&, auto&) const {}
  std::size_t size(const auto&) const { return N; }
};
/// Zero in all real traffic.
template <std::size_t N>
constexpr auto zero() {
  return pad_row<N>{};
}
/// Old memory of the sender.
template <std::size_t N>
constexpr auto junk() {
  return pad_row<N>{};
}

/// A count and that many entries; with Gap padding bytes between the two. The count is checked
/// against what is left before room is made. Entries are no larger in memory than twice their size
/// on the wire.
template <class T, class E, class Count, std::size_t Gap>
struct list_row {
  static_assert(element<E>::fixed, "entries of a list have one size");
  static_assert(sizeof(E) <= 2 * element<E>::min_size, "a packet must not grow much in memory");
  static constexpr std::size_t min_size = sizeof(Count) + Gap;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  const char* count_name;
  const char* name;
  std::vector<E> T::*member;

  void put(writer& w, const T& v) const {
    w.length((v.*member).size());
    w.zeros(Gap);
    for (const E& e : v.*member) element<E>::put(w, e);
  }
  void get(reader& r, T& v) const {
    const auto count = r.number<std::uint32_t>(count_name);  // a negative one is too large
    r.skip("padding", Gap);
    if (!r.fits(name, count, element<E>::min_size)) return;
    (v.*member).resize(count);
    if constexpr (plain<E>) {
      const byte_view all = r.take(name, count * sizeof(E));
      if (count > 0) std::memcpy((v.*member).data(), all.data(), all.size());
    } else {
      for (E& e : v.*member) element<E>::get(r, name, e);
    }
  }
  void show(sink& s, const T& v) const {
    s.show(count_name, scalar::number((v.*member).size()), sizeof(Count));
    if constexpr (Gap > 0) s.pad(Gap);
    s.begin_list(name);
    for (const E& e : v.*member) element<E>::show(s, "", e, nullptr);
    s.end();
  }
  void make(generator& g, T& v) const {
    (v.*member).resize(g.below(5));
    for (E& e : v.*member) e = element<E>::make(g);
  }
  std::size_t size(const T& v) const {
    return min_size + (v.*member).size() * element<E>::min_size;
  }
};
template <class T, class E>
constexpr auto counted(const char* count_name, const char* name, std::vector<E> T::*member) {
  return list_row<T, E, std::uint32_t, 0>{count_name, name, member};
}
template <std::size_t Gap, class T, class E>
constexpr auto counted_after_gap(const char* count_name, const char* name,
                                 std::vector<E> T::*member) {
  return list_row<T, E, std::int32_t, Gap>{count_name, name, member};
}

/// A number at the end that may be missing.
template <class T, plain M>
struct optional_row {
  static constexpr std::size_t min_size = 0;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  const char* name;
  std::optional<M> T::*member;
  meaning says;
  void put(writer& w, const T& v) const {
    if (v.*member) w.number(*(v.*member));
  }
  void get(reader& r, T& v) const {
    if (r.left() >= sizeof(M)) v.*member = r.number<M>(name);
  }
  void show(sink& s, const T& v) const {
    if (v.*member) s.show(name, to_scalar(*(v.*member)), sizeof(M), says);
  }
  void make(generator& g, T& v) const { v.*member = element<M>::make(g); }
  std::size_t size(const T& v) const { return v.*member ? sizeof(M) : 0; }
};
template <class T, class M>
constexpr auto optional_tail(const char* name, std::optional<M> T::*member,
                             meaning says = nullptr) {
  return optional_row<T, M>{name, member, says};
}

/// The whole value is one number, array or wire type, without a name of its own.
template <class T>
struct whole_row {
  static constexpr std::size_t min_size = element<T>::min_size;
  static constexpr bool fixed = element<T>::fixed;
  static constexpr bool takes_rest = false;
  const char* name = "";
  void put(writer& w, const T& v) const { element<T>::put(w, v); }
  void get(reader& r, T& v) const { element<T>::get(r, name, v); }
  void show(sink& s, const T& v) const { element<T>::show(s, name, v, nullptr); }
  void make(generator& g, T& v) const { v = element<T>::make(g); }
  std::size_t size(const T& v) const { return element<T>::size(v); }
};

}  // namespace floe::wire
