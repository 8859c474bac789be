#include "cli/decode/conversation.hpp"

#include "protocol/constants.hpp"

namespace floe::cli {

void conversation::request(std::uint64_t requester, reqid id, asked a) {
  open_.insert_or_assign({requester, number(id)}, std::move(a));
}

std::optional<asked> conversation::reply(std::uint64_t requester, reqid id) {
  auto found = open_.extract({requester, number(id)});
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

bool is_reply(const packet& p) {
  switch (operation_of(p.body)) {
    case operation::reply_call:
    case operation::reply_dmaster:
    case operation::reply_error:
    case operation::reply_control: return true;
    default: return false;
  }
}

bool wants_reply(const packet& p) {
  if (const auto* c = std::get_if<req_control>(&p.body))
    return (c->flags & control_flag::noreply) == 0;
  return std::holds_alternative<req_call>(p.body);
}

std::optional<control> stream_conversation::follow(const packet& p) {
  constexpr std::uint64_t anybody = 0;
  if (const auto* c = std::get_if<req_control>(&p.body)) {
    by_node_.request(number(p.header.src), p.header.id, {c->opcode, {}});
    by_id_.request(anybody, p.header.id, {c->opcode, {}});
  } else if (std::holds_alternative<reply_control>(p.body)) {
    auto a = by_node_.reply(number(p.header.dest), p.header.id);
    if (!a) a = by_id_.reply(anybody, p.header.id);
    if (a) return a->opcode;
  }
  return std::nullopt;
}

}  // namespace floe::cli
