#include "cli/decode/packet_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocol/messages.hpp"
#include "protocol/packet_print.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

const char* direction_text(seen_direction d) {
  switch (d) {
    case seen_direction::to_daemon: return "client->daemon";
    case seen_direction::to_client: return "daemon->client";
    case seen_direction::between_nodes: return "node->node";
  }
  return "";
}

/// Who chose the reqid of this packet.
std::uint64_t requester(const packet& p, const sighting& s) {
  constexpr std::uint64_t node = std::uint64_t{1} << 63;
  if (s.dir != seen_direction::between_nodes) return s.connection;
  return node | number(is_reply(p) ? p.header.dest : p.header.src);
}

std::string about(const packet& p, std::optional<control> opcode, const sighting& s) {
  std::string out;
  if (const auto* r = std::get_if<reply_control>(&p.body)) {
    out = fmt::format("answer to {}, status {}",
                      opcode ? control_name(*opcode) : "an unknown request", r->status);
  } else if (opcode) {
    out = "request " + control_name(*opcode);
  } else if (const auto* m = std::get_if<req_message>(&p.body)) {
    const auto* row = find_message(m->srvid);
    out =
        "message " + (row != nullptr ? std::string(row->name) : wire::hex64_text(number(m->srvid)));
  } else {
    out = operation_name(operation_of(p.body));
  }
  if (s.dir != seen_direction::between_nodes) return out + ", " + s.channel;
  return out + fmt::format(", node {} to node {}", number(p.header.src), number(p.header.dest));
}

/// Padding inside of the contents that the sender has not set to zero.
void write_uninit(wire::json_writer& line, byte_view whole, std::optional<control> opcode) {
  wire::field_list fields;
  fields.begin_object("");
  (void)show_packet(whole, fields, opcode);
  fields.end();
  line.begin_list("uninit");
  for (const auto& f : fields.fields()) {
    if (!f.hidden || !f.path.ends_with("padding")) continue;
    if (std::ranges::all_of(whole.substr(f.where.offset, f.where.size),
                            [](char c) { return c == '\0'; }))
      continue;
    line.begin_list();
    line.number("", f.where.offset);
    line.number("", f.where.size);
    line.end();
  }
  line.end();
}

}  // namespace

void recorder::packet(byte_view whole, const sighting& s) {
  const std::string id = fmt::format("capture-{:06}", ++count_);
  const auto p = decode_packet(whole);
  std::optional<control> opcode;
  std::string reply_to;
  if (p) {
    if (const auto* c = std::get_if<req_control>(&p->body)) opcode = c->opcode;
    if (is_reply(*p)) {
      if (const auto request = open_.reply(requester(*p, s), p->header.id)) {
        if (std::holds_alternative<reply_control>(p->body)) opcode = request->opcode;
        reply_to = request->id;
      }
    } else if (wants_reply(*p)) {
      open_.request(requester(*p, s), p->header.id, {opcode, id});
    }
  }
  wire::json_writer line;
  line.begin_object();
  line.text("id", id);
  if (p)
    line.text("op", operation_name(operation_of(p->body)));
  else
    line.null("op");
  if (opcode) {
    const auto* row = find_control(*opcode);
    line.number("control", number(*opcode));
    line.text("control_name", row != nullptr ? row->name : "UNKNOWN");
  } else {
    line.null("control");
    line.null("control_name");
  }
  line.text("dir", direction_text(s.dir));
  line.text("channel", s.channel);
  line.real("t", std::round(s.t * 1e6) / 1e6);
  line.text("about", p ? about(*p, opcode, s) : "broken: " + p.error().text());
  if (!reply_to.empty()) line.text("reply_to", reply_to);
  if (p) {
    write_uninit(line, whole, opcode);
    line.begin_object("fields");
    wire::json_sink fields(line);
    (void)show_packet(whole, fields, opcode);
    line.end();
  } else {
    line.begin_list("uninit");
    line.end();
    line.null("fields");
  }
  line.octets("hex", whole);
  line.end();
  const auto text = line.take() + "\n";
  std::fwrite(text.data(), 1, text.size(), out_);
}

bool recorder::flush() { return std::fflush(out_) == 0 && std::ferror(out_) == 0; }

}  // namespace floe::cli
