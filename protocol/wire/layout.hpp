#pragma once
/// The machinery behind codec.hpp: rows of which a layout is made, and the definition of codec<T>
/// from a layout. Only the .cpp file that holds a type's layout includes this, and ends with
/// `template struct wire::codec<T>;`.
///
///   constexpr auto layout(wire::of<ban_state>) {
///     return wire::record("ban_state", wire::field("pnn", &ban_state::pnn), wire::field("time",
///     &ban_state::time));
///   }
///
/// A row is a struct with min_size, fixed, takes_rest and five functions: put (encode), get
/// (decode), show (print), make (random value), size. A type that no row here fits has a row of its
/// own in its .cpp file.
#include <array>
#include <cassert>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/generator.hpp"
#include "protocol/wire/sink.hpp"

namespace floe::wire {

template <class T>
struct of {};

// ---- one value: a number, an array of values, or another wire type
// -------------------------------------------------

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

// ---- rows
// ----------------------------------------------------------------------------------------------------------

/// A member that takes its own place.
template <class T, class M>
struct field_row {
  static constexpr std::size_t min_size = element<M>::min_size;
  static constexpr bool fixed = element<M>::fixed;
  static constexpr bool takes_rest = false;
  const char* name;
  M T::* member;
  meaning says;
  void put(writer& w, const T& v) const { element<M>::put(w, v.*member); }
  void get(reader& r, T& v) const { element<M>::get(r, name, v.*member); }
  void show(sink& s, const T& v) const { element<M>::show(s, name, v.*member, says); }
  void make(generator& g, T& v) const { v.*member = element<M>::make(g); }
  std::size_t size(const T& v) const { return element<M>::size(v.*member); }
};
template <class T, class M>
constexpr auto field(const char* name, M T::* member, meaning says = nullptr) {
  return field_row<T, M>{name, member, says};
}

/// A number that travels but is not shown, such as the tail of a C structure that must be kept.
template <class T, plain M>
struct hidden_row {
  static constexpr std::size_t min_size = sizeof(M);
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  const char* name;
  M T::* member;
  void put(writer& w, const T& v) const { w.number(v.*member); }
  void get(reader& r, T& v) const { v.*member = r.number<M>(name); }
  void show(sink& s, const T& v) const { s.hide(name, to_scalar(v.*member), sizeof(M)); }
  void make(generator& g, T& v) const { v.*member = element<M>::make(g); }
  std::size_t size(const T&) const { return sizeof(M); }
};
template <class T, class M>
constexpr auto kept(const char* name, M T::* member) {
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
  std::vector<E> T::* member;

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
constexpr auto counted(const char* count_name, const char* name, std::vector<E> T::* member) {
  return list_row<T, E, std::uint32_t, 0>{count_name, name, member};
}
template <std::size_t Gap, class T, class E>
constexpr auto counted_after_gap(const char* count_name, const char* name,
                                 std::vector<E> T::* member) {
  return list_row<T, E, std::int32_t, Gap>{count_name, name, member};
}

/// Text up to the first NUL, if there is one.
inline byte_view up_to_nul(byte_view b) {
  const auto nul = b.find('\0');
  return nul == byte_view::npos ? b : b.substr(0, nul);
}

/// N lengths (u32 each), then N byte strings of these lengths: how CTDB sends keys and data.
template <class T>
struct part {
  const char* length_name;
  const char* name;
  byte_view T::* member;
  bool is_text = false;  ///< shown as text; a NUL at its end is counted but not part of the text
};
template <class T, std::size_t N>
struct sized_row {
  static constexpr std::size_t min_size = 4 * N;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  std::array<part<T>, N> parts;

  void put(writer& w, const T& v) const {
    for (const auto& p : parts) w.length((v.*p.member).size());
    for (const auto& p : parts) w.raw(v.*p.member);
  }
  void get(reader& r, T& v) const {
    std::array<std::uint32_t, N> lengths{};
    for (std::size_t i = 0; i < N; ++i) lengths[i] = r.number<std::uint32_t>(parts[i].length_name);
    for (std::size_t i = 0; i < N; ++i) v.*parts[i].member = r.take(parts[i].name, lengths[i]);
  }
  void show(sink& s, const T& v) const {
    for (const auto& p : parts) {
      s.show(p.length_name, scalar::number((v.*p.member).size()), 4);
    }
    for (const auto& p : parts) {
      const byte_view b = v.*p.member;
      s.show(p.name,
             p.is_text ? scalar::string(b.data() == nullptr ? "" : up_to_nul(b)) : scalar::blob(b),
             b.size());
    }
  }
  void make(generator& g, T& v) const {
    for (const auto& p : parts) v.*p.member = p.is_text ? g.text(40) : g.octets(200);
  }
  std::size_t size(const T& v) const {
    std::size_t n = min_size;
    for (const auto& p : parts) n += (v.*p.member).size();
    return n;
  }
};
template <class T>
constexpr auto sized(const char* length_name, const char* name, byte_view T::* member) {
  return sized_row<T, 1>{{part<T>{length_name, name, member}}};
}
template <class T>
constexpr auto sized(part<T> first, part<T> second) {
  return sized_row<T, 2>{{first, second}};
}

/// `stringn`: u32 length, text, NUL; the length counts the NUL. A null string is a length of 0 and
/// nothing else.
template <class T>
struct stringn_row {
  static constexpr std::size_t min_size = 4;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  const char* length_name;  ///< empty: the length is not shown
  const char* name;
  byte_view T::* member;
  void put(writer& w, const T& v) const {
    const byte_view text = v.*member;
    if (text.data() == nullptr) return w.length(0);
    w.length(text.size() + 1);
    w.raw(text);
    w.zeros(1);
  }
  void get(reader& r, T& v) const {
    const auto length = r.number<std::uint32_t>("length");
    const byte_view all = r.take(name, length);
    v.*member = length == 0 ? byte_view{} : up_to_nul(all);
  }
  void show(sink& s, const T& v) const {
    const byte_view text = v.*member;
    const std::size_t length = text.data() == nullptr ? 0 : text.size() + 1;
    if (*length_name == '\0')
      s.hide("length", scalar::number(length), 4);
    else
      s.show(length_name, scalar::number(length), 4);
    s.show(name, scalar::string(text), length);
  }
  void make(generator& g, T& v) const { v.*member = g.string(30); }
  std::size_t size(const T& v) const {
    return 4 + ((v.*member).data() == nullptr ? 0 : (v.*member).size() + 1);
  }
};
template <class T>
constexpr auto stringn(const char* name, byte_view T::* member) {
  return stringn_row<T>{"", name, member};
}
template <class T>
constexpr auto stringn(const char* length_name, const char* name, byte_view T::* member) {
  return stringn_row<T>{length_name, name, member};
}

/// What fills the data to its end: `string` (text and one NUL), `text` (no NUL) or plain octets.
enum class rest_kind : std::uint8_t { string, text, octets };
template <class T, rest_kind Kind>
struct rest_row {
  static constexpr std::size_t min_size = 0;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = true;
  const char* name;
  byte_view T::* member;
  void put(writer& w, const T& v) const {
    w.raw(v.*member);
    if (Kind == rest_kind::string && (v.*member).data() != nullptr) w.zeros(1);
  }
  void get(reader& r, T& v) const {
    const byte_view all = r.take(name, r.left());
    if constexpr (Kind == rest_kind::string)
      v.*member = all.empty() ? byte_view{} : up_to_nul(all);
    else
      v.*member = all;
  }
  void show(sink& s, const T& v) const {
    const byte_view b = v.*member;
    if constexpr (Kind == rest_kind::octets)
      s.show(name, scalar::blob(b), b.size());
    else if constexpr (Kind == rest_kind::text)
      s.show(name, scalar::string(byte_view(b.data() == nullptr ? "" : b)), b.size());
    else
      s.show(name, scalar::string(b), size(v));
  }
  void make(generator& g, T& v) const {
    if constexpr (Kind == rest_kind::octets)
      v.*member = g.octets(200);
    else
      v.*member = Kind == rest_kind::string ? g.string(60) : g.text(60);
  }
  std::size_t size(const T& v) const {
    const byte_view b = v.*member;
    return b.size() + (Kind == rest_kind::string && b.data() != nullptr ? 1 : 0);
  }
};
template <rest_kind Kind, class T>
constexpr auto rest(const char* name, byte_view T::* member) {
  return rest_row<T, Kind>{name, member};
}

/// Text in a field of N bytes, with a NUL behind it; what follows the NUL is junk.
template <class T, std::size_t N>
struct fixed_text_row {
  static constexpr std::size_t min_size = N;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  const char* name;
  byte_view T::* member;
  void put(writer& w, const T& v) const {
    const byte_view text = (v.*member).substr(0, N - 1);
    w.raw(text);
    w.zeros(N - text.size());
  }
  void get(reader& r, T& v) const {
    const std::size_t place = r.offset();
    const byte_view all = r.take(name, N);
    v.*member = up_to_nul(all);
    if ((v.*member).size() == N) r.fail_at(place, name, fault::not_terminated, 1, N);
  }
  void show(sink& s, const T& v) const {
    const byte_view b = v.*member;
    s.show(name, scalar::string(b.data() == nullptr ? "" : b), N);
  }
  void make(generator& g, T& v) const { v.*member = g.text(N - 1); }
  std::size_t size(const T&) const { return N; }
};
template <std::size_t N, class T>
constexpr auto fixed_text(const char* name, byte_view T::* member) {
  return fixed_text_row<T, N>{name, member};
}

/// A number at the end that may be missing.
template <class T, plain M>
struct optional_row {
  static constexpr std::size_t min_size = 0;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;
  const char* name;
  std::optional<M> T::* member;
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
constexpr auto optional_tail(const char* name, std::optional<M> T::* member,
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

// ---- layouts
// -------------------------------------------------------------------------------------------------------

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

// ---- codec<T> from layout(of<T>)
// -----------------------------------------------------------------------------------

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
