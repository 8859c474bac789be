#pragma once
/// The face between a decoded value and everything that prints or compares it. A layout walks a
/// value and tells a sink each field with its place on the wire; JSON, text, the annotated listing
/// and the equality report are sinks.
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe::wire {

/// A field's value, in the few shapes that the printers tell apart.
struct scalar {
  enum class shape : std::uint8_t {
    unsigned_number,
    signed_number,
    hex64,
    real,
    octets,
    text,
    null
  };
  shape is = shape::null;
  std::uint64_t u = 0;
  std::int64_t i = 0;
  double f = 0;
  byte_view octets;  ///< octets: a view into the input; text: valid only during the call

  static scalar number(std::uint64_t n) { return {shape::unsigned_number, n, 0, 0, {}}; }
  static scalar integer(std::int64_t n) { return {shape::signed_number, 0, n, 0, {}}; }
  static scalar hex(std::uint64_t n) { return {shape::hex64, n, 0, 0, {}}; }
  static scalar real(double d) { return {shape::real, 0, 0, d, {}}; }
  static scalar blob(byte_view b) { return {shape::octets, 0, 0, 0, b}; }
  /// A text without its NUL; a view without an address is the null string.
  static scalar string(byte_view t) {
    return t.data() == nullptr ? scalar{} : scalar{shape::text, 0, 0, 0, t};
  }
};

/// Says what a number means ("UNHEALTHY|STOPPED", "CURRENT_NODE"); empty when there is nothing to
/// say.
using meaning = bytes (*)(std::uint64_t);

/// Where a field is: offset from the start of the outermost value, and number of bytes.
struct place {
  std::size_t offset = 0;
  std::size_t size = 0;
};

class sink {
 public:
  virtual ~sink() = default;

  virtual void begin_object(const char* name) = 0;  ///< name is "" for an entry of a list
  virtual void begin_list(const char* name) = 0;
  virtual void end() = 0;
  virtual void value(const char* name, const scalar& v, place where, meaning says) = 0;
  /// Bytes that are no part of the value as people see it: padding, and lengths that another field
  /// implies.
  virtual void hidden(const char*, const scalar&, place) {}

  // What layouts call: the same, with the place kept here.
  void show(const char* name, const scalar& v, std::size_t size, meaning says = nullptr) {
    value(name, v, {at_, size}, says);
    at_ += size;
  }
  void hide(const char* name, const scalar& v, std::size_t size) {
    hidden(name, v, {at_, size});
    at_ += size;
  }
  void pad(std::size_t size) { hide("padding", scalar{}, size); }
  std::size_t at() const { return at_; }
  void move_to(std::size_t offset) { at_ = offset; }

 private:
  std::size_t at_ = 0;
};

}  // namespace floe::wire
