#include "actors/node/traverse/traverses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/traverse.hpp"

namespace floe {
namespace {

bytes encode_record(reqid id, const record_view& r) {
  bytes data;
  append_header(data, r.header);
  data.append(r.data);
  return encode_request<control::traverse_data>({.reqid = number(id), .key = r.key, .data = data});
}

bytes encode_end(reqid id) {
  return encode_request<control::traverse_data>({.reqid = number(id), .key = {}, .data = {}});
}

}  // namespace

void traverses::traverse_start(const request_of<control::traverse_start>& t, const caller& by,
                               const answer_to<control::traverse_start>& answer) {
  begin({.db_id = t.db_id, .reqid = t.reqid, .srvid = t.srvid}, by, answer);
}

void traverses::traverse_start_ext(const request_of<control::traverse_start_ext>& t,
                                   const caller& by,
                                   const answer_to<control::traverse_start_ext>& answer) {
  begin(t, by, answer);
}

void traverses::begin(const request_of<control::traverse_start_ext>& t, const caller& by,
                      const answer_to<control::traverse_start>& answer) {
  const auto* d = databases_.find(t.db_id);
  if (!d) return answer.fail("unknown database");
  if (const auto why = refusal(*d, *by.client); !why.empty()) return answer.fail(why);
  const pnn self = port_.env.self;
  const auto id = ++last_;
  const auto from = sources_of(*d);
  open_.emplace(id, entry{.client = by.client->id,
                          .session = by.client->session,
                          .srvid = t.srvid,
                          .client_reqid = t.reqid,
                          .db = t.db_id,
                          .ends_missing = from.size(),
                          .deadline = give_up_in_time(id)});
  answer.good();
  const bytes all =
      encode_request<control::traverse_all_ext>({.db_id = t.db_id,
                                                 .reqid = reqid{id},
                                                 .pnn = self,
                                                 .client_reqid = t.reqid,
                                                 .srvid = t.srvid,
                                                 .withemptyrecords = t.withemptyrecords});
  for (pnn p : from) {
    if (p == self)
      read_ours(t.db_id, t.withemptyrecords, self, reqid{id});
    else
      calls_.tell(p, {.opcode = control::traverse_all_ext, .data = all});
  }
}

std::string traverses::refusal(const database_entry& d, const client_ref& client) {
  const auto of_client =
      std::ranges::count_if(open_, [&](const auto& one) { return one.second.client == client.id; });
  if (open_.size() >= most || static_cast<std::size_t>(of_client) >= most_of_client) {
    ++port_.limits.refused.traverses;
    return fmt::format(
        "{} traverses are under way, {} of them of this client; {} and {} are the most",
        open_.size(), of_client, most, most_of_client);
  }
  auto why = unfit(d);
  if (why.empty() || port_.tunables[tunable::allow_unhealthy_db_read] != 0) return {};
  return why + "; AllowUnhealthyDBRead=1 shows it nevertheless";
}

std::vector<pnn> traverses::sources_of(const database_entry& d) const {
  const pnn self = port_.env.self;
  const auto& map = port_.view().map;
  if (d.kind == db_kind::volatile_db) return port_.destinations(pnn::broadcast_active);
  // who takes no part may lack what has been committed since
  if (!port_.view().is_member(self) && !map.empty()) return {map.front()};
  return {self};
}

timer_id traverses::give_up_in_time(std::uint32_t id) const {
  return port_.env.loop.after(
      std::chrono::seconds(port_.tunables[tunable::traverse_timeout]),
      [to = port_.self, self = port_.env.self, id] {
        to.tell(call_control{.to = self,
                             .opcode = control::traverse_kill,
                             .data = encode_request<control::traverse_kill>(
                                 {.db_id = db_id{0}, .reqid = reqid{id}, .srvid = srvid{0}}),
                             .patience = std::chrono::seconds(1),
                             .answer = {}});
      });
}

outcome_of<control::traverse_all> traverses::traverse_all(
    const request_of<control::traverse_all>& t) {
  read_ours(t.db_id, false, t.pnn, t.reqid);
  return {};
}

outcome_of<control::traverse_all_ext> traverses::traverse_all_ext(
    const request_of<control::traverse_all_ext>& t) {
  read_ours(t.db_id, t.withemptyrecords, t.pnn, t.reqid);
  return {};
}

void traverses::read_ours(db_id db, bool with_empty, pnn for_node, reqid id) {
  const auto* d = databases_.find(db);
  if (!d) return port_.self.tell(traverse_slice{for_node, id, {}, nullptr});
  const auto records = std::make_shared<std::vector<bytes>>();
  const auto slice = [records, to = port_.self, for_node, id](task next) {
    to.tell(traverse_slice{for_node, id, std::exchange(*records, {}), std::move(next)});
  };
  d->to.tell(db_traverse{
      .with_empty = with_empty,
      .emit = [records, id](const record_view& r) { records->push_back(encode_record(id, r)); },
      .slice_ends = slice,
      .done =
          [slice, &log = port_.env.log, name = d->name](const std::string& error) {
            if (!error.empty()) log.tell(event::traverse_incomplete{.db = name, .why = error});
            slice(nullptr);
          }});
}

void traverses::send(traverse_slice& s) {
  const bool ours = s.for_node == port_.env.self;
  const bool last = !s.next;
  if (last) s.records.push_back(encode_end(s.id));
  if (s.records.empty()) return s.next();
  for (std::size_t i = 0; i < s.records.size(); ++i) {
    const bytes& one = s.records[i];
    const bool waits = !last && i + 1 == s.records.size();
    if (ours)
      take(*decode_request<control::traverse_data>(one), waits ? std::move(s.next) : nullptr);
    else if (waits)
      calls_.send(s.for_node, {.opcode = control::traverse_data, .data = one},
                  std::chrono::seconds(port_.tunables[tunable::traverse_timeout]),
                  replier([next = std::move(s.next)](const control_answer& a) {
                    if (a.status == 0) next();
                  }));
    else
      calls_.tell(s.for_node, {.opcode = control::traverse_data, .data = one});
  }
}

/// The answer that is dropped, with the client or the traverse, tells the sender to stop.
void traverses::traverse_data(const request_of<control::traverse_data>& d,
                              const answer_to<control::traverse_data>& answer) {
  if (!open_.contains(d.reqid)) return answer.fail("no such traverse");
  take(d, [answer] { answer.good(); });
}

void traverses::take(const request_of<control::traverse_data>& d, task taken) {
  const auto t = open_.find(d.reqid);
  if (t == open_.end()) return;
  if (!d.is_end()) return pass_on(t->second, d.key, d.data, std::move(taken));
  if (--t->second.ends_missing == 0) end(d.reqid);
  if (taken) taken();
}

void traverses::pass_on(const entry& t, byte_view key, byte_view data, task taken) const {
  const bytes record =
      wire::encode(rec_data{.reqid = number(t.client_reqid), .key = key, .data = data});
  t.session.tell(session_send{
      port_.for_client(reqid{0}, req_message{.srvid = t.srvid, .data = record}), std::move(taken)});
}

void traverses::end(std::uint32_t id) {
  const auto t = open_.find(id);
  if (t == open_.end()) return;
  port_.env.loop.cancel(t->second.deadline);
  pass_on(t->second, {}, {});
  open_.erase(t);
}

/// From ourselves: our traverse took too long. From another node: it does not want our records any more; what is
/// under way ends with its answer to the present slice.
outcome_of<control::traverse_kill> traverses::traverse_kill(
    const request_of<control::traverse_kill>& t, const caller& by) {
  if (by.from == port_.env.self && open_.contains(number(t.reqid))) {
    ++port_.env.count.traverse_timeouts;
    end(number(t.reqid));
  }
  return {};
}

void traverses::end_those_of(std::uint64_t client) {
  std::erase_if(open_, [&](auto& t) {
    if (t.second.client != client) return false;
    port_.env.loop.cancel(t.second.deadline);
    return true;
  });
}

}  // namespace floe
