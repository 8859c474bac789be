#pragma once
/// Values for people and logs: one line (`generation=654321 size=3 map=[0 1 2]`), or a listing with
/// one line per field that shows its offset and bytes. The meaning of flags and special numbers
/// stands behind the number in parentheses.
#include <deque>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/wire/sink.hpp"

namespace floe::wire {

/// A value alone, as both printers show it: octets are printed as text where all of them are
/// printable.
bytes scalar_text(const scalar& v, meaning says);

/// One line; octets beyond `octets_max` are cut.
class text_sink : public sink {
 public:
  explicit text_sink(std::size_t octets_max = 64) : octets_max_(octets_max) {}
  void begin_object(const char* name) override;
  void begin_list(const char* name) override;
  void end() override;
  void value(const char* name, const scalar& v, place where, meaning says) override;
  bytes take() { return std::move(out_); }

 private:
  void start(const char* name);
  std::size_t octets_max_;
  bytes out_;
  std::vector<char> open_;
};

/// One field with its path ("map[2]", "nodes[0].addr.port").
struct listed_field {
  bytes path;
  scalar value;
  place where;
  meaning says;
  bool hidden;  ///< padding, or a length that another field implies
};

/// Collects all fields of a value in the order of the wire. Octets stay views into what was
/// decoded.
class field_list : public sink {
 public:
  void begin_object(const char* name) override;
  void begin_list(const char* name) override;
  void end() override;
  void value(const char* name, const scalar& v, place where, meaning says) override;
  void hidden(const char* name, const scalar& v, place where) override;
  const std::vector<listed_field>& fields() const { return fields_; }

 private:
  bytes path_of(const char* name);
  struct level {
    bytes path;
    bool is_list;
    std::size_t next;
  };
  std::vector<level> levels_;
  std::vector<listed_field> fields_;
  std::deque<bytes> texts_;  ///< a layout may have made a text for us alone, such as an address
};

/// The first fields in which two values differ, one line each: "map[1]: 1 != 2". Empty when they
/// are equal.
bytes difference(const field_list& a, const field_list& b, std::size_t max_lines = 5);

/// Offset, bytes, field, value and meaning of each field; `whole` is what the offsets count into.
bytes listing(const field_list& fields, byte_view whole);

}  // namespace floe::wire
