#include "cli/decode/check.hpp"

#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

class line_check {
 public:
  explicit line_check(const capture_line& line) : line_(line) {}

  std::vector<disagreement> run() {
    if (line_.bad_hex) {
      say("hex", {},
          "is not hex digits from character " + std::to_string(*line_.bad_hex + 1) + " on");
      return std::move(found_);
    }
    const auto p = decode_packet(line_.packet);
    if (line_.broken_on_purpose()) {
      if (p)
        say("fields", {},
            "are null, but the packet is a good " +
                std::string(operation_name(operation_of(p->body))));
      return std::move(found_);
    }
    if (!p) {
      const auto& e = p.error();
      say(*e.field == '\0' ? e.type : e.field, e.offset, "does not decode: " + e.text());
      return std::move(found_);
    }
    fields_.begin_object("");
    (void)show_packet(line_.packet, fields_, line_.opcode);
    fields_.end();
    compare_fields();
    compare_encoding();
    compare_length(*p);
    return std::move(found_);
  }

 private:
  void say(std::string field, std::optional<std::size_t> offset, std::string text) {
    found_.push_back({std::move(field), offset, std::move(text)});
  }

  std::optional<std::size_t> offset_of(const std::string& path) const {
    for (const auto& f : fields_.fields())
      if (f.path == path) return f.where.offset;
    for (const auto& f : fields_.fields())  // a list or object: where it begins
      if (f.path.starts_with(path + "[") || f.path.starts_with(path + ".")) return f.where.offset;
    return std::nullopt;
  }

  void compare_fields() {
    const auto is = json::parse(packet_to_json(line_.packet, line_.opcode));
    for (const char* name : {"op", "control", "control_name"}) {
      const auto said = line_.said.find(name);
      if (said == line_.said.end()) continue;
      for (const auto& d : json_differences(is.at(name), *said))
        say(name, std::string_view(name) == "op" ? 16U : header_size, d.text);
    }
    const auto said = line_.said.find("fields");
    if (said == line_.said.end()) return say("fields", {}, "are missing in the line");
    for (const auto& d : json_differences(is.at("fields"), *said))
      say(d.path, offset_of(d.path), d.text);
  }

  /// Sets the bytes that the sender left to chance to zero, in the packet and in our encoding of
  /// it.
  void blank(bytes& packet, bytes& again) {
    const auto ranges = line_.said.find("uninit");
    if (ranges == line_.said.end()) return;
    for (const auto& r : *ranges) {
      const bool is_range =
          r.is_array() && r.size() == 2 && r[0].is_number_unsigned() && r[1].is_number_unsigned();
      const auto offset = is_range ? r[0].get<std::size_t>() : 0;
      const auto size = is_range ? r[1].get<std::size_t>() : 0;
      if (!is_range || offset > packet.size() || size > packet.size() - offset)
        say("uninit", {}, "is " + r.dump() + ", no range of the packet");
      else
        for (bytes* b : {&packet, &again}) b->replace(offset, size, size, '\0');
    }
  }

  void compare_encoding() {
    auto again = reencode_packet(line_.packet, line_.opcode);
    if (!again)
      return say(again.error().field, again.error().offset,
                 "does not encode: " + again.error().text());
    bytes original = line_.packet;
    again->resize(original.size());
    blank(original, *again);
    for (std::size_t i = 0; i < original.size(); ++i) {
      if (original[i] == (*again)[i]) continue;
      say(field_at(i), i,
          "is encoded as " + wire::to_hex(again->substr(i, 1)) + ", should be " +
              wire::to_hex(original.substr(i, 1)));
      return;
    }
    compare_padding(original);
  }

  /// Padding that travels with a value (of record headers) is no field of the line, so all that can
  /// be asked is that it is zero, or that the line says otherwise.
  void compare_padding(const bytes& blanked) {
    for (const auto& f : fields_.fields()) {
      if (!f.hidden || !f.path.ends_with("padding")) continue;
      const auto there = byte_view(blanked).substr(f.where.offset, f.where.size);
      const auto bad = there.find_first_not_of('\0');
      if (bad == byte_view::npos) continue;
      return say(f.path, f.where.offset + bad, "is not zero, and `uninit` does not name it");
    }
  }

  std::string field_at(std::size_t offset) const {
    for (const auto& f : fields_.fields())
      if (offset >= f.where.offset && offset < f.where.offset + f.where.size) return f.path;
    return "padding";
  }

  void compare_length(const packet& p) {
    if (line_.hand_made()) return;
    const auto size = packet_size(p.body, padding::daemon);
    // clients other than CTDB's own do not pad
    const auto dir = line_.said.find("dir");
    const bool may_be_exact = dir != line_.said.end() && *dir == "client->daemon";
    if (size == line_.packet.size() ||
        (may_be_exact && packet_size(p.body, padding::none) == line_.packet.size()))
      return;
    say("length", 0,
        "is " + std::to_string(line_.packet.size()) + ", the contents make it " +
            std::to_string(size));
  }

  const capture_line& line_;
  wire::field_list fields_;
  std::vector<disagreement> found_;
};

}  // namespace

std::string disagreement::line() const {
  return "field " + field + (offset ? " at offset " + std::to_string(*offset) : std::string()) +
         " " + text;
}

std::vector<disagreement> check_line(const capture_line& line) { return line_check(line).run(); }

}  // namespace floe::cli
