#include "protocol/packet_print.hpp"

#include <cassert>
#include <cstring>
#include <string>

#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/text.hpp"

namespace floe {
namespace {

const wire::type_info& free_type() { return wire::codec<wire::octets>::info(); }

bool is_whole_value(const wire::type_info& type, byte_view data) {
  const auto size = type.measure(data);
  return size && *size == data.size();
}

const wire::type_info& request_type(const req_control& c) {
  const control_info* row = find_control(c.opcode);
  if (row == nullptr || !check_request(*row, c.data)) return free_type();
  // a request with more than its value is legal in places, but showing the value alone would hide
  // the rest
  return is_whole_value(*row->request, c.data) ? *row->request : free_type();
}

const wire::type_info& reply_type(const reply_control& r, std::optional<control> answered) {
  const wire::type_info& none = wire::codec<nothing>::info();
  if (r.data.empty()) return none;
  const control_info* row = answered ? find_control(*answered) : nullptr;
  if (row == nullptr || row->is(control_trait::obsolete)) return free_type();
  return is_whole_value(*row->reply, r.data) ? *row->reply : free_type();
}

byte_view payload_of(const packet& p) {
  if (const auto* m = std::get_if<req_message>(&p.body)) return m->data;
  if (const auto* c = std::get_if<req_control>(&p.body)) return c->data;
  if (const auto* r = std::get_if<reply_control>(&p.body)) return r->data;
  return {};
}

/// Where the data of these three begins in a packet.
std::size_t payload_offset(const packet& p) {
  return std::holds_alternative<req_control>(p.body) ? 60 : 44;
}

/// Passes everything on without the outermost object: the fields of a body stand beside those of
/// the header.
class member_sink : public wire::sink {
 public:
  explicit member_sink(wire::sink& out) : out_(out) {}
  void begin_object(const char* name) override {
    if (depth_++ > 0) out_.begin_object(name);
  }
  void begin_list(const char* name) override {
    ++depth_;
    out_.begin_list(name);
  }
  void end() override {
    if (--depth_ > 0) out_.end();
  }
  void value(const char* name, const wire::scalar& v, wire::place where,
             wire::meaning says) override {
    out_.value(name, v, where, says);
  }
  void hidden(const char* name, const wire::scalar& v, wire::place where) override {
    out_.hidden(name, v, where);
  }

 protected:
  wire::sink& out_;
  int depth_ = 0;
};

/// And replaces the field `data` by the typed payload.
class payload_sink : public member_sink {
 public:
  payload_sink(wire::sink& out, const wire::type_info& type, byte_view payload)
      : member_sink(out), type_(type), payload_(payload) {}
  void value(const char* name, const wire::scalar& v, wire::place where,
             wire::meaning says) override {
    if (byte_view(name) != "data") return out_.value(name, v, where, says);
    out_.value("data_type", wire::scalar::string(type_.name), {where.offset, 0}, nullptr);
    out_.move_to(where.offset);
    [[maybe_unused]] const auto shown = type_.show(payload_, out_, "data");
    assert(shown && "the type was chosen because the payload decodes to it");
  }

 private:
  const wire::type_info& type_;
  byte_view payload_;
};

void show_body(const packet& p, wire::sink& s, std::optional<control> answered) {
  const wire::type_info* type = payload_type_of(p, answered);
  auto show = [&](wire::sink& to) {
    to.move_to(header_size);
    std::visit([&]<class Body>(const Body& b) { wire::codec<Body>::show(to, "", b); }, p.body);
  };
  if (type != nullptr) {
    payload_sink with_payload(s, *type, payload_of(p));
    show(with_payload);
  } else {
    member_sink plain(s);
    show(plain);
  }
}

void show_whole(const packet& p, const raw_header& h, wire::sink& s,
                std::optional<control> answered) {
  member_sink header(s);
  wire::codec<raw_header>::show(header, "", h);
  show_body(p, s, answered);
}

std::optional<control> opcode_of(const packet& p, std::optional<control> answered) {
  if (const auto* c = std::get_if<req_control>(&p.body)) return c->opcode;
  if (std::holds_alternative<reply_control>(p.body)) return answered;
  return std::nullopt;
}

bytes node_text(pnn p) {
  const bytes special = pnn_text(number(p));
  return special.empty() ? std::to_string(number(p)) : special;
}

}  // namespace

const wire::type_info* payload_type_of(const packet& p, std::optional<control> answered) {
  if (const auto* m = std::get_if<req_message>(&p.body)) return &payload_type(m->srvid, m->data);
  if (const auto* c = std::get_if<req_control>(&p.body)) return &request_type(*c);
  if (const auto* r = std::get_if<reply_control>(&p.body)) return &reply_type(*r, answered);
  return nullptr;
}

std::optional<wire::error> payload_error(const packet& p, std::optional<control> answered) {
  const byte_view data = payload_of(p);
  std::optional<wire::error> bad;
  auto judge = [&](const wire::type_info& type) {
    const auto size = type.measure(data);
    if (!size)
      bad = size.error();
    else
      bad = check_size(type.name, {}, data, *size);
  };
  if (const auto* c = std::get_if<req_control>(&p.body)) {
    const control_info* row = find_control(c->opcode);
    if (row == nullptr) return std::nullopt;
    if (const auto size = check_request(*row, data); !size) bad = size.error();
  } else if (std::holds_alternative<reply_control>(p.body)) {
    const control_info* row = answered ? find_control(*answered) : nullptr;
    if (row == nullptr || data.empty()) return std::nullopt;
    judge(*row->reply);
  } else if (const auto* m = std::get_if<req_message>(&p.body)) {
    const message_info* row = find_message(m->srvid);
    if (row == nullptr) return std::nullopt;
    judge(*row->type);
  }
  if (bad) bad->offset += payload_offset(p);
  return bad;
}

std::expected<void, wire::error> show_packet(byte_view whole, wire::sink& s,
                                             std::optional<control> answered) {
  const auto p = decode_packet(whole);
  if (!p) return std::unexpected(p.error());
  show_whole(*p, *decode_header(whole), s, answered);
  return {};
}

bytes packet_to_text(const packet& p, std::optional<control> answered) {
  bytes out(operation_name(operation_of(p.body)));
  if (const auto opcode = opcode_of(p, answered)) out.append(" ").append(control_name(*opcode));
  if (const auto* m = std::get_if<req_message>(&p.body)) {
    const message_info* row = find_message(m->srvid);
    if (row != nullptr) out.append(" ").append(row->name);
  }
  out.append(" ").append(node_text(p.header.src)).append(" -> ").append(node_text(p.header.dest));
  out.append(" id=").append(std::to_string(number(p.header.id)));
  out.append(" gen=").append(std::to_string(number(p.header.gen)));
  wire::text_sink fields;
  fields.begin_object("");
  show_body(p, fields, answered);
  fields.end();
  const bytes rest = fields.take();
  return rest.empty() ? out : out + " " + rest;
}

void packet_to_json(byte_view whole, std::optional<control> answered, wire::json_writer& out) {
  const auto p = decode_packet(whole);
  if (!p) {
    out.text("error", p.error().text());
    return;
  }
  out.text("op", operation_name(operation_of(p->body)));
  const auto opcode = opcode_of(*p, answered);
  if (opcode) {
    out.number("control", number(*opcode));
    const control_info* row = find_control(*opcode);
    out.text("control_name", row != nullptr ? row->name : "UNKNOWN");
  } else {
    out.null("control");
    out.null("control_name");
  }
  out.begin_object("fields");
  wire::json_sink fields(out);
  show_whole(*p, *decode_header(whole), fields, answered);
  out.end();
  if (const auto again = reencode_packet(whole, answered)) out.octets("reencoded", *again);
}

bytes packet_to_json(byte_view whole, std::optional<control> answered) {
  wire::json_writer out;
  out.begin_object();
  packet_to_json(whole, answered, out);
  out.end();
  return out.take();
}

bytes packet_listing(byte_view whole, std::optional<control> answered) {
  wire::field_list fields;
  fields.begin_object("");
  const auto p = decode_packet(whole);
  if (p) {
    show_whole(*p, *decode_header(whole), fields, answered);
  } else if (const auto h = wire::decode_prefix<raw_header>(whole)) {
    member_sink header(fields);
    wire::codec<raw_header>::show(header, "", h->value);
  }
  fields.end();
  bytes out = wire::listing(fields, whole);
  if (!p) return out.append(p.error().text()).append("\n");
  if (const auto bad = payload_error(*p, answered)) out.append(bad->text()).append("\n");
  return out;
}

std::expected<bytes, wire::error> reencode_packet(byte_view whole,
                                                  std::optional<control> answered) {
  auto p = decode_packet(whole);
  if (!p) return std::unexpected(p.error());
  bytes payload;
  if (const wire::type_info* type = payload_type_of(*p, answered)) {
    auto again = type->reencode(payload_of(*p));
    if (!again) return std::unexpected(again.error());
    payload = std::move(*again);
    if (auto* m = std::get_if<req_message>(&p->body)) m->data = payload;
    if (auto* c = std::get_if<req_control>(&p->body)) c->data = payload;
    if (auto* r = std::get_if<reply_control>(&p->body)) r->data = payload;
  }
  if (packet_size(p->body, padding::daemon) == whole.size()) {
    return encode_packet(p->header, p->body, padding::daemon);
  }
  bytes out = encode_packet(p->header, p->body, padding::none);
  if (out.size() < whole.size()) {
    // padded in a way that is neither a daemon's nor smbd's
    const auto length = static_cast<std::uint32_t>(whole.size());
    std::memcpy(out.data(), &length, sizeof length);
    out.resize(whole.size(), '\0');
  }
  return out;
}

}  // namespace floe
