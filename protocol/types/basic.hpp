#pragma once
/// The basic encodings, as values of their own: what a control carries that has only a number or a
/// text, and the small structs that occur inside others. Facts: Samba
/// ctdb/protocol/protocol_basic.c.
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// No data at all; "-" in listings.
struct nothing {
  static constexpr std::size_t wire_size = 0;
  bool operator==(const nothing&) const = default;
};

/// A process id as CTDB sends it.
enum class process_id : std::int32_t {};
constexpr std::int32_t number(process_id p) { return static_cast<std::int32_t>(p); }

/// Seconds since 1970 and microseconds.
struct timeval {
  static constexpr std::size_t wire_size = 16;
  std::int64_t sec = 0;
  std::int64_t usec = 0;
  bool operator==(const timeval&) const = default;
};

/// Number, shortest, longest and sum of durations, in seconds.
struct latency {
  static constexpr std::size_t wire_size = 32;
  std::int32_t num = 0;
  double min = 0;
  double max = 0;
  double total = 0;
  bool operator==(const latency&) const = default;
  void add(double seconds) {
    if (num == 0 || seconds < min) min = seconds;
    if (num == 0 || seconds > max) max = seconds;
    total += seconds;
    ++num;
  }
};

namespace wire {

/// Text and one NUL, to the end of the data. Receivers accept text without NUL. No data is the null
/// string, a view without an address.
struct string {
  byte_view value;
  bool operator==(const string&) const = default;
  operator byte_view() const { return value; }
};

/// Text without NUL, to the end of the data.
struct text {
  byte_view value;
  bool operator==(const text&) const = default;
  operator byte_view() const { return value; }
};

/// Octets of no known type, to the end of the data.
struct octets {
  byte_view value;
  bool operator==(const octets&) const = default;
  operator byte_view() const { return value; }
};

// Parts of other types: their codecs are in basic.cpp.
extern template struct codec<timeval>;
extern template struct codec<latency>;

}  // namespace wire
}  // namespace floe
