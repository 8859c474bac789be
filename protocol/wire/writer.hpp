#pragma once
/// Appends to a byte string. Numbers go out in the byte order of this machine; padding is always
/// zero.
#include <cassert>
#include <cstdint>
#include <limits>

#include "protocol/bytes.hpp"

namespace floe::wire {

class writer {
 public:
  explicit writer(bytes& out) : out_(out) {}

  template <class Number>
  void number(Number n) {
    out_.append(reinterpret_cast<const char*>(&n), sizeof n);
  }
  /// A length or count on the wire. One that does not fit into 32 bits is our own mistake.
  void length(std::size_t n) {
    assert(n <= std::numeric_limits<std::uint32_t>::max());
    number(static_cast<std::uint32_t>(n));
  }
  void raw(byte_view data) { out_.append(data); }
  void zeros(std::size_t n) { out_.append(n, '\0'); }

 private:
  bytes& out_;
};

}  // namespace floe::wire
