#pragma once
/// Reads a byte string front to back. Nothing is read past the end and nothing is cast: numbers are
/// copied out, byte fields are views into the input. The first failure is kept and ends the input,
/// so a decoder needs no checks between fields; what it has filled in by then is thrown away by the
/// entry points in codec.hpp. Integers are in the byte order of this machine, as CTDB's are.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "protocol/bytes.hpp"
#include "protocol/wire/error.hpp"

namespace floe::wire {

class reader {
 public:
  /// Reads `whole` from offset `start` on (start <= size); offsets in errors count from the start
  /// of `whole`.
  explicit reader(byte_view whole, std::size_t start = 0)
      : begin_(whole.data()), at_(begin_ + start), end_(begin_ + whole.size()) {}

  bool ok() const { return !failed_; }
  const error& why() const { return error_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

  /// Names the type that is being read, for errors. Returns the one before, to be put back.
  const char* enter(const char* type) {
    const char* outer = type_;
    type_ = type;
    return outer;
  }

  template <class Number>
  Number number(const char* field) {
    Number n{};
    if (left() < sizeof n) {
      fail(field, fault::truncated, sizeof n, left());
      return n;
    }
    std::memcpy(&n, at_, sizeof n);
    at_ += sizeof n;
    return n;
  }

  byte_view take(const char* field, std::uint64_t size) {
    if (size > left()) {
      fail(field, fault::truncated, size, left());
      return {};
    }
    byte_view view(at_, static_cast<std::size_t>(size));
    at_ += view.size();
    return view;
  }

  /// What has not been read yet; reading goes on where it was.
  byte_view rest() const { return {at_, left()}; }

  void skip(const char* field, std::size_t size) { take(field, size); }

  /// Checks that `count` entries of at least `entry_size` bytes can follow; call it before making
  /// room for them.
  bool fits(const char* field, std::uint64_t count, std::size_t entry_size) {
    if (failed_) return false;
    if (count <= left() / entry_size) return true;
    fail(field, fault::count_too_large, count, left());
    return false;
  }

  void fail(const char* field, fault why, std::uint64_t wanted, std::uint64_t have) {
    if (failed_) return;
    failed_ = true;
    error_ = error{type_, field, offset(), why, wanted, have};
    at_ = end_;
  }

  /// The same for a place that has been passed already.
  void fail_at(std::size_t place, const char* field, fault why, std::uint64_t wanted,
               std::uint64_t have) {
    if (failed_) return;
    fail(field, why, wanted, have);
    error_.offset = place;
  }

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
  const char* type_ = "";
  bool failed_ = false;
  error error_;
};

}  // namespace floe::wire
