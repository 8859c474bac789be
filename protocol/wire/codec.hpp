#pragma once
/// The entry points of the wire engine: encode, decode, compare, generate any wire type.
///
/// A wire type T is a plain struct. What it looks like on the wire is said once, in
/// layout(wire::of<T>) in the type's .cpp file, and everything here derives from that. This header
/// is light; the machinery is layout.hpp, which only those .cpp files include. See
/// protocol/README.md.
///
/// Byte fields of a decoded value are views into the input. A text field whose view has no address
/// is CTDB's null string (no bytes at all), as opposed to "" (one NUL); compare data() with nullptr
/// to tell them apart.
#include <cstddef>
#include <cstdint>
#include <expected>

#include "protocol/bytes.hpp"
#include "protocol/wire/error.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace floe::wire {

class sink;
class generator;

/// A wire type as a value: for tables, printers and tests that do not know the C++ type.
struct type_info {
  const char* name;      ///< as in the captures: "vnn_map", "u32", "-"
  std::size_t min_size;  ///< no shorter input can be decoded
  bool fixed_size;       ///< every value has min_size bytes
  bool takes_rest;       ///< swallows whatever follows, so a prefix of a value is a value
  /// How many bytes the value at the front has; more may follow.
  std::expected<std::size_t, error> (*measure)(byte_view);
  /// Decodes all of the input and tells the sink, as a field of this name.
  std::expected<void, error> (*show)(byte_view, sink&, const char* name);
  /// Decodes all of the input and encodes what it found.
  std::expected<bytes, error> (*reencode)(byte_view);
  /// The encoding of a random value.
  bytes (*generate)(generator&);
};

template <class T>
struct codec {
  static void put(writer& w, const T& v);
  static void get(reader& r, T& v);
  static void show(sink& s, const char* name, const T& v);
  static T make(generator& g);
  static std::size_t size(const T& v);
  static const type_info& info();
};

template <class T>
void append(bytes& out, const T& v) {
  writer w(out);
  codec<T>::put(w, v);
}

template <class T>
std::size_t encoded_size(const T& v) {
  return codec<T>::size(v);
}

template <class T>
bytes encode(const T& v) {
  bytes out;
  out.reserve(codec<T>::size(v));
  append(out, v);
  return out;
}

template <class T>
struct prefix {
  T value;
  std::size_t size;
};

/// Decodes what is at the front; more may follow.
template <class T>
std::expected<prefix<T>, error> decode_prefix(byte_view in) {
  reader r(in);
  prefix<T> p{};
  codec<T>::get(r, p.value);
  if (!r.ok()) return std::unexpected(r.why());
  p.size = r.offset();
  return p;
}

/// Decodes all of `in`; bytes behind the value are an error.
template <class T>
std::expected<T, error> decode(byte_view in) {
  reader r(in);
  T v{};
  codec<T>::get(r, v);
  if (r.ok() && r.left() > 0) {
    r.enter(codec<T>::info().name);
    r.fail("", fault::trailing_bytes, 0, r.left());
  }
  if (!r.ok()) return std::unexpected(r.why());
  return v;
}

}  // namespace floe::wire
