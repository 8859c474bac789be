#pragma once
/// JSON, written only: numbers as they are, 64 bit identifiers as "0x" and 16 digits, octets as
/// hex, a null string and "no data" as null. Text that is not UTF-8 gets U+FFFD in place of each
/// wrong byte; NaN and infinities become null.
#include <cstdint>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/wire/sink.hpp"

namespace floe::wire {

/// Appends JSON text; puts the commas. Misuse (a value without a name in an object) is not checked.
class json_writer {
 public:
  void begin_object(byte_view name = {});
  void begin_list(byte_view name = {});
  void end();
  void text(byte_view name, byte_view v);
  void number(byte_view name, std::uint64_t v);
  void integer(byte_view name, std::int64_t v);
  void hex64(byte_view name, std::uint64_t v);
  void real(byte_view name, double v);
  void octets(byte_view name, byte_view v);
  void boolean(byte_view name, bool v);
  void null(byte_view name);
  /// JSON text made elsewhere.
  void raw(byte_view name, byte_view json);

  const bytes& str() const { return out_; }
  bytes take() { return std::move(out_); }

 private:
  void start(byte_view name);
  void quote(byte_view text);
  bytes out_;
  std::vector<char> open_;  ///< closing brackets
  bool first_ = true;
};

/// Fields of a value as members of the JSON object or list that is open in `out`.
class json_sink : public sink {
 public:
  explicit json_sink(json_writer& out) : out_(out) {}
  void begin_object(const char* name) override { out_.begin_object(name); }
  void begin_list(const char* name) override { out_.begin_list(name); }
  void end() override { out_.end(); }
  void value(const char* name, const scalar& v, place where, meaning says) override;

 private:
  json_writer& out_;
};

/// Lower case hex digits.
bytes to_hex(byte_view octets);
/// "0x" and 16 digits.
bytes hex64_text(std::uint64_t v);

}  // namespace floe::wire
