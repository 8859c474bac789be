#include "cli/decode/lookup.hpp"

#include <algorithm>

#include "actors/events.hpp"
#include "cli/whole_number.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

template <class Body>
const wire::type_info* body() {
  return &wire::codec<Body>::info();
}

void append(std::vector<flag_row>& out, flag_group group, std::span<const flag_name> names) {
  for (const auto& n : names) out.push_back({group, n.bits, n.name});
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

const std::vector<operation_row>& all_operations() {
  static const std::vector<operation_row> rows{
      {operation::req_call, body<req_call>(),
       "bring this record to the node that asks; from a client, or passed on between nodes",
       "REPLY_CALL, REPLY_DMASTER or REPLY_ERROR"},
      {operation::reply_call, body<reply_call>(),
       "the answer to a call: the record's data if the call asked for it", ""},
      {operation::req_dmaster, body<req_dmaster>(),
       "the holder of a record hands it over, by way of the record's lmaster",
       "REPLY_DMASTER, to the new holder"},
      {operation::reply_dmaster, body<reply_dmaster>(), "the record arrives at its new holder", ""},
      {operation::reply_error, body<reply_error>(), "a call was refused", ""},
      {operation::req_message, body<req_message>(), "data for all who have registered the srvid",
       ""},
      {operation::req_control, body<req_control>(), "a question or an order to a daemon",
       "REPLY_CONTROL, unless the flag NOREPLY is set"},
      {operation::reply_control, body<reply_control>(),
       "the answer to a control; names its request by the reqid alone", ""},
      {operation::req_keepalive, body<req_keepalive>(),
       "a sign of life, with the sender's version and age", ""},
      {operation::req_tunnel, body<req_tunnel>(),
       "data between two programs that have registered the same tunnel", ""},
  };
  return rows;
}

std::vector<flag_row> all_flags() {
  std::vector<flag_row> out;
  append(out, {"node flag", "what a node is, in node maps"}, node_flag_names());
  append(out, {"capability", "what a node can do, in the answer to GET_CAPABILITIES"},
         capability_names());
  append(out, {"database flag", "kind and properties of a database, in GET_DBMAP"},
         db_flag_names());
  append(out, {"record flag", "state of a record, in its header"}, record_flag_names());
  append(out, {"control flag", "how a control wants to be treated, in REQ_CONTROL"},
         control_flag_names());
  append(out, {"call flag", "how a call wants to be treated, in REQ_CALL"}, call_flag_names());
  append(out, {"tunnel flag", "in REQ_TUNNEL"}, tunnel_flag_names());
  append(out, {"open flag", "how a database file is opened, in DB_OPEN_FLAGS"}, open_flag_names());
  return out;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

const control_info* control_called(std::string_view text) {
  if (const auto n = number_or_hex<std::uint64_t>(text))
    return *n <= 0xFFFFFFFF ? find_control(control{static_cast<std::uint32_t>(*n)}) : nullptr;
  return find_control(text);
}

std::vector<const wire::type_info*> all_types() {
  std::vector<const wire::type_info*> out;
  const auto add = [&](const wire::type_info* t) {
    const auto same = [&](const wire::type_info* known) {
      return std::string_view(known->name) == t->name;
    };
    if (std::string_view(t->name) != "-" && std::ranges::none_of(out, same)) out.push_back(t);
  };
  for (const auto& c : all_controls()) {
    add(c.request);
    add(c.reply);
  }
  for (const auto& m : all_messages()) add(m.type);
  return out;
}

std::vector<std::string_view> all_names() {
  std::vector<std::string_view> out;
  for (const auto& c : all_controls()) out.push_back(c.name);
  for (const auto& m : all_messages()) out.push_back(m.name);
  for (const auto& o : all_operations()) out.push_back(operation_name(o.op));
  for (const auto& f : all_flags()) out.push_back(f.name);
  for (const auto& t : all_tunables()) out.push_back(t.name);
  for (const auto* t : all_types()) out.emplace_back(t->name);
  for (const auto& e : all_events()) out.push_back(e.name);
  return out;
}

}  // namespace floe::cli
