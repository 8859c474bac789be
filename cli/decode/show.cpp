#include "cli/decode/show.hpp"

#include <fmt/format.h>

#include <cstring>

#include "cli/output.hpp"
#include "protocol/messages.hpp"
#include "protocol/packet.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {
namespace {

std::string heading(const packet& p, std::optional<control> answered) {
  std::string out(operation_name(operation_of(p.body)));
  const control_info* row = nullptr;
  if (const auto* c = std::get_if<req_control>(&p.body)) {
    row = find_control(c->opcode);
    out += " " + control_name(c->opcode);
  } else if (std::holds_alternative<reply_control>(p.body)) {
    if (!answered) return out + ", of an unknown request: --answers names it";
    row = find_control(*answered);
    out += " to " + control_name(*answered);
  } else if (const auto* m = std::get_if<req_message>(&p.body)) {
    if (const message_info* said = find_message(m->srvid)) {
      out.append(" ").append(said->name);
      if (!said->meaning.empty()) out.append(": ").append(said->meaning);
    }
  }
  if (row != nullptr) out.append(": ").append(row->does);
  return out;
}

/// The bytes behind the contents.
std::string rest_of(const packet& p, byte_view whole) {
  const std::size_t used = packet_size(p.body, padding::none);
  if (used >= whole.size()) return {};
  return fmt::format("{:<7}{:<37}{:<32} {} bytes\n", used, wire::to_hex(whole.substr(used, 16)),
                     "padding", whole.size() - used);
}

void write_error(wire::json_writer& out, const char* name, const wire::error& e) {
  out.begin_object(name);
  out.text("type", e.type);
  out.text("field", e.field);
  out.number("offset", e.offset);
  out.text("text", e.text());
  out.end();
}

/// The operation that the header names, as far as there is a header.
byte_view operation_in(byte_view broken) {
  std::uint32_t op = 0;
  if (broken.size() < 20) return {};
  std::memcpy(&op, broken.data() + 16, sizeof op);
  return operation_name(operation{op});
}

}  // namespace

std::string packet_for_people(const packet_input& in, std::size_t number, bool colours) {
  const auto p = decode_packet(in.packet);
  std::string title = in.id.empty() ? fmt::format("packet {}", number) : in.id;
  title += fmt::format(", {} bytes: ", in.packet.size());
  if (p) {
    title += heading(*p, in.answered);
  } else {
    title += "broken";
    if (const auto op = operation_in(in.packet); !op.empty()) title.append(" ").append(op);
  }
  auto body = packet_listing(in.packet, in.answered);
  if (!p) {
    // the listing ends with what is wrong
    const auto e = p.error();
    const auto there =
        e.offset < in.packet.size() ? byte_view(in.packet).substr(e.offset, 16) : byte_view();
    body.pop_back();
    const auto line = body.rfind('\n') == bytes::npos ? 0 : body.rfind('\n') + 1;
    body.insert(line, "wrong: ");
    body += fmt::format("\n       bytes there: {}\n", there.empty() ? "none" : wire::to_hex(there));
  } else {
    std::string bad;
    if (const auto e = payload_error(*p, in.answered)) {
      const auto line = body.rfind('\n', body.size() - 2) + 1;
      bad = "wrong: " + body.substr(line);
      body.erase(line);
    }
    body += rest_of(*p, in.packet) + bad;
  }
  return paint(style::bold, title, colours) + "\n" +
         paint(style::dim,
               fmt::format("{:<7}{:<37}{:<32} {}", "offset", "bytes", "field", "value(meaning)"),
               colours) +
         "\n" + body;
}

std::string packet_for_programs(const packet_input& in) {
  wire::json_writer out;
  out.begin_object();
  if (in.in_capture) out.text("id", in.id);
  const auto p = decode_packet(in.packet);
  if (p) {
    packet_to_json(in.packet, in.answered, out);
    if (const auto e = payload_error(*p, in.answered)) write_error(out, "payload_error", *e);
  } else {
    const auto op = operation_in(in.packet);
    if (op.empty())
      out.null("op");
    else
      out.text("op", op);
    out.null("control");
    out.null("control_name");
    out.null("fields");
    write_error(out, "error", p.error());
  }
  out.end();
  return out.take();
}

}  // namespace floe::cli
