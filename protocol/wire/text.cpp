#include "protocol/wire/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "protocol/wire/json.hpp"

namespace floe::wire {
namespace {

bool printable(byte_view b) {
  return std::ranges::all_of(b, [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// Like a C string literal.
bytes quoted(byte_view b) {
  bytes out = "\"";
  for (const char c : b) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else {
      out.append("\\x").append(to_hex(byte_view(&c, 1)));
    }
  }
  return out + "\"";
}

bytes padded(bytes text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

bytes scalar_text(const scalar& v, meaning says) {
  bytes out;
  std::uint64_t number = v.u;
  switch (v.is) {
    case scalar::shape::unsigned_number: out = std::to_string(v.u); break;
    case scalar::shape::signed_number:
      out = std::to_string(v.i);
      number = static_cast<std::uint64_t>(v.i);
      break;
    case scalar::shape::hex64: out = hex64_text(v.u); break;
    case scalar::shape::real: {
      std::array<char, 40> text{};
      out.assign(text.data(), std::to_chars(text.data(), text.data() + text.size(), v.f).ptr);
      break;
    }
    case scalar::shape::octets:
      if (v.octets.empty()) return "empty";
      // a NUL at the end is common in keys and says nothing against text
      if (printable(v.octets.substr(0, v.octets.size() - 1)) &&
          (printable(v.octets) || v.octets.back() == '\0') && v.octets != byte_view("\0", 1)) {
        return quoted(v.octets);
      }
      return to_hex(v.octets);
    case scalar::shape::text: return quoted(v.octets);
    case scalar::shape::null: return "none";
  }
  if (says != nullptr) {
    const bytes meant = says(number);
    if (!meant.empty()) out.append("(").append(meant).append(")");
  }
  return out;
}

void text_sink::start(const char* name) {
  if (!out_.empty() && out_.back() != '[' && out_.back() != '{') out_.push_back(' ');
  if (*name != '\0') out_.append(name).append("=");
}

void text_sink::begin_object(const char* name) {
  // the outermost braces say nothing
  if (open_.empty() && *name == '\0') {
    open_.push_back('\0');
    return;
  }
  start(name);
  out_.push_back('{');
  open_.push_back('}');
}

void text_sink::begin_list(const char* name) {
  start(name);
  out_.push_back('[');
  open_.push_back(']');
}

void text_sink::end() {
  if (open_.back() != '\0') out_.push_back(open_.back());
  open_.pop_back();
}

void text_sink::value(const char* name, const scalar& v, place, meaning says) {
  start(name);
  if (v.octets.size() <= octets_max_) {
    out_.append(scalar_text(v, says));
    return;
  }
  scalar shorter = v;
  shorter.octets = v.octets.substr(0, octets_max_);
  out_.append(scalar_text(shorter, says)).append("...(").append(std::to_string(v.octets.size()));
  out_.append(" bytes)");
}

bytes field_list::path_of(const char* name) {
  if (levels_.empty()) return name;
  level& l = levels_.back();
  if (l.is_list) return l.path + "[" + std::to_string(l.next++) + "]";
  if (l.path.empty()) return name;
  return l.path + "." + name;
}

void field_list::begin_object(const char* name) { levels_.push_back({path_of(name), false, 0}); }
void field_list::begin_list(const char* name) { levels_.push_back({path_of(name), true, 0}); }
void field_list::end() { levels_.pop_back(); }

void field_list::value(const char* name, const scalar& v, place where, meaning says) {
  scalar kept = v;
  if (v.is == scalar::shape::text) kept.octets = texts_.emplace_back(v.octets);
  fields_.push_back({path_of(name), kept, where, says, false});
}

void field_list::hidden(const char* name, const scalar& v, place where) {
  bytes path = levels_.empty() ? bytes(name) : levels_.back().path;
  if (!levels_.empty() && !levels_.back().is_list) path = path_of(name);
  fields_.push_back({std::move(path), v, where, nullptr, true});
}

bytes difference(const field_list& a, const field_list& b, std::size_t max_lines) {
  bytes out;
  std::size_t lines = 0;
  auto say = [&](const bytes& path, const bytes& left, const bytes& right) {
    if (lines++ < max_lines) {
      out.append(path).append(": ").append(left).append(" != ").append(right).append("\n");
    }
  };
  const auto& x = a.fields();
  const auto& y = b.fields();
  std::size_t i = 0;
  for (; i < x.size() && i < y.size(); ++i) {
    if (x[i].path != y[i].path) {
      say(x[i].path, "present", "another field, " + y[i].path);
      return out;  // the shapes differ; the rest would only repeat that
    }
    const bytes left = scalar_text(x[i].value, nullptr);
    const bytes right = scalar_text(y[i].value, nullptr);
    if (left != right || x[i].value.is != y[i].value.is) say(x[i].path, left, right);
  }
  if (i < x.size()) say(x[i].path, scalar_text(x[i].value, nullptr), "missing");
  if (i < y.size()) say(y[i].path, "missing", scalar_text(y[i].value, nullptr));
  return out;
}

bytes listing(const field_list& fields, byte_view whole) {
  constexpr std::size_t bytes_shown = 16;
  bytes out;
  for (const listed_field& f : fields.fields()) {
    const byte_view raw =
        f.where.offset < whole.size() ? whole.substr(f.where.offset, f.where.size) : byte_view{};
    bytes hex = to_hex(raw.substr(0, bytes_shown));
    if (raw.size() > bytes_shown) hex.append("...");
    out.append(padded(std::to_string(f.where.offset), 7)).append(padded(hex, 2 * bytes_shown + 5));
    out.append(padded(f.path, 32)).append(" ").append(scalar_text(f.value, f.says)).append("\n");
  }
  return out;
}

}  // namespace floe::wire
