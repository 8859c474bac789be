#include "actors/client/request_table.hpp"

#include <vector>

namespace floe {
namespace {

struct outcome {
  bool is_answer = false;
  std::int32_t status = 0;
  byte_view data, error;
};

outcome read_answer(const packet_body& body) {
  if (const auto* c = std::get_if<reply_control>(&body))
    return {true, c->status, c->data, c->error};
  if (const auto* c = std::get_if<reply_call>(&body)) return {true, c->status, c->data, {}};
  // an error is negative, whatever its packet claims
  if (const auto* e = std::get_if<reply_error>(&body))
    return {true, e->status < 0 ? e->status : -1, {}, e->message};
  return {};
}

}  // namespace

const char* name(client_errc code) {
  switch (code) {
    case client_errc::not_connected: return "not connected";
    case client_errc::timed_out: return "timed out";
    case client_errc::refused: return "refused";
    case client_errc::disconnected: return "connection lost";
    case client_errc::bad_reply: return "answer not understood";
  }
  return "?";
}

std::string client_error::describe() const {
  std::string out = name(code);
  if (code == client_errc::refused) {
    if (node != pnn::current) out += " by node " + std::to_string(number(node));
    out += " (" + std::to_string(status) + ")";
  }
  if (!text.empty()) out += ": " + text;
  return out;
}

reqid request_table::unused_id() {
  do {
    ++last_;
  } while (last_ == 0 || open_.contains(last_) || given_up_.contains(last_));
  return reqid{last_};
}

reqid request_table::add(pnn to, time_point deadline, reply_handler done, reply_handler late) {
  const reqid id = unused_id();
  open_.emplace(number(id), request{to, deadline, std::move(done), std::move(late)});
  deadlines_.emplace(deadline, number(id));
  return id;
}

bool request_table::answer(const frame& raw, const packet& p) {
  const auto a = read_answer(p.body);
  if (!a.is_answer) return false;
  const std::uint32_t id = number(p.header.id);
  const auto tell = [&](const request& r, const reply_handler& to) {
    if (a.status >= 0) return to(client_reply{raw, a.status, a.data, a.error});
    auto said = read_error_field(a.error);
    to(std::unexpected(
        client_error{client_errc::refused, a.status, std::move(said.text), r.to, said.cause}));
  };
  if (auto r = open_.extract(id)) {
    deadlines_.erase({r.mapped().deadline, id});
    tell(r.mapped(), r.mapped().done);
    return true;
  }
  if (auto r = given_up_.extract(id)) {
    tell(r.mapped(), r.mapped().late);
    return true;
  }
  return false;
}

void request_table::expire(time_point now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    auto r = std::move(open_.extract(id).mapped());
    auto done = std::move(r.done);
    const client_error why{client_errc::timed_out, 0, {}, r.to};
    if (r.late) given_up_.emplace(id, std::move(r));
    done(std::unexpected(why));
  }
}

std::optional<time_point> request_table::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void request_table::fail_all(const client_error& why) {
  given_up_.clear();
  std::vector<std::uint32_t> ids;
  for (const auto& [at, id] : deadlines_) ids.push_back(id);
  for (const auto id : ids) {
    auto r = open_.extract(id);
    if (!r) continue;  // a handler has cleared the table
    deadlines_.erase({r.mapped().deadline, id});
    client_error e = why;
    e.node = r.mapped().to;
    r.mapped().done(std::unexpected(std::move(e)));
  }
}

void request_table::clear() {
  deadlines_.clear();
  // what handlers own may ask for something when it goes
  const auto open = std::exchange(open_, {});
  const auto given_up = std::exchange(given_up_, {});
}

}  // namespace floe
