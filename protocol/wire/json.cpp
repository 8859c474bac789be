#include "protocol/wire/json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "protocol/wire/visible.hpp"

namespace floe::wire {
namespace {

constexpr byte_view digits = "0123456789abcdef";

template <class Number>
void append_number(bytes& out, Number v) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
  out.append(text.data(), end.ptr);
}

unsigned char byte_at(byte_view s, std::size_t i) { return static_cast<unsigned char>(s[i]); }

}  // namespace

bytes to_hex(byte_view octets) {
  bytes out;
  out.reserve(2 * octets.size());
  for (const char c : octets) {
    const auto b = static_cast<unsigned char>(c);
    out.push_back(digits[b >> 4]);
    out.push_back(digits[b & 15]);
  }
  return out;
}

bytes hex64_text(std::uint64_t v) {
  bytes out = "0x";
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(digits[(v >> shift) & 15]);
  return out;
}

void json_writer::start(byte_view name) {
  if (!first_) out_.append(", ");
  first_ = false;
  if (!open_.empty() && open_.back() == '}') {
    quote(name);
    out_.append(": ");
  }
}

/// What acts on a terminal is written as \u and digits.
void json_writer::quote(byte_view text) {
  out_.push_back('"');
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const unsigned char c = byte_at(text, 0);
    if (n == 0) {
      out_.append("\xef\xbf\xbd");
    } else if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(text[0]);
    } else if (c == '\n') {
      out_.append("\\n");
    } else if (acts(text, n)) {
      // what visible() shows of two or three octets is JSON's way, too
      out_.append(n == 1 ? "\\u00" + to_hex(text.substr(0, 1)) : visible(text.substr(0, n)));
    } else {
      out_.append(text.substr(0, n));
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  out_.push_back('"');
}

void json_writer::begin_object(byte_view name) {
  start(name);
  out_.push_back('{');
  open_.push_back('}');
  first_ = true;
}

void json_writer::begin_list(byte_view name) {
  start(name);
  out_.push_back('[');
  open_.push_back(']');
  first_ = true;
}

void json_writer::end() {
  out_.push_back(open_.back());
  open_.pop_back();
  first_ = false;
}

void json_writer::text(byte_view name, byte_view v) {
  start(name);
  quote(v);
}

void json_writer::number(byte_view name, std::uint64_t v) {
  start(name);
  append_number(out_, v);
}

void json_writer::integer(byte_view name, std::int64_t v) {
  start(name);
  append_number(out_, v);
}

void json_writer::hex64(byte_view name, std::uint64_t v) {
  start(name);
  out_.append("\"").append(hex64_text(v)).append("\"");
}

void json_writer::real(byte_view name, double v) {
  if (!std::isfinite(v)) return null(name);
  start(name);
  const std::size_t from = out_.size();
  append_number(out_, v);
  // "3" would read back as an integer
  if (out_.find_first_of(".e", from) == bytes::npos) out_.append(".0");
}

void json_writer::octets(byte_view name, byte_view v) {
  start(name);
  out_.append("\"").append(to_hex(v)).append("\"");
}

void json_writer::boolean(byte_view name, bool v) {
  start(name);
  out_.append(v ? "true" : "false");
}

void json_writer::null(byte_view name) {
  start(name);
  out_.append("null");
}

void json_writer::raw(byte_view name, byte_view json) {
  start(name);
  out_.append(json);
}

void json_sink::value(const char* name, const scalar& v, place, meaning) {
  switch (v.is) {
    case scalar::shape::unsigned_number: return out_.number(name, v.u);
    case scalar::shape::signed_number: return out_.integer(name, v.i);
    case scalar::shape::hex64: return out_.hex64(name, v.u);
    case scalar::shape::real: return out_.real(name, v.f);
    case scalar::shape::octets: return out_.octets(name, v.octets);
    case scalar::shape::text: return out_.text(name, v.octets);
    case scalar::shape::null: return out_.null(name);
  }
}

}  // namespace floe::wire
