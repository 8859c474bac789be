#pragma once
/// Rows of a layout that hold octets and text. Part of layout.hpp.
#include <array>

#include "protocol/wire/element.hpp"

namespace floe::wire {

/// Text up to the first NUL, if there is one.
inline byte_view up_to_nul(byte_view b) {
  const auto nul = b.find('\0');
  return nul == byte_view::npos ? b : b.substr(0, nul);
}

/// N lengths (u32 each), then N byte strings of these lengths: how CTDB sends keys and data.
template <class T>
struct part {
  const char* length_name = "";
  const char* name = "";
  byte_view T::*member = nullptr;
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
constexpr auto sized(const char* length_name, const char* name, byte_view T::*member) {
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
  byte_view T::*member;
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
constexpr auto stringn(const char* name, byte_view T::*member) {
  return stringn_row<T>{"", name, member};
}
template <class T>
constexpr auto stringn(const char* length_name, const char* name, byte_view T::*member) {
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
  byte_view T::*member;
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
constexpr auto rest(const char* name, byte_view T::*member) {
  return rest_row<T, Kind>{name, member};
}

/// Text in a field of N bytes, with a NUL behind it; what follows the NUL is junk.
template <class T, std::size_t N>
struct fixed_text_row {
  static constexpr std::size_t min_size = N;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  const char* name;
  byte_view T::*member;
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
constexpr auto fixed_text(const char* name, byte_view T::*member) {
  return fixed_text_row<T, N>{name, member};
}

}  // namespace floe::wire
