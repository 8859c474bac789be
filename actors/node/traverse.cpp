/// Reading a database of the whole cluster: every node sends the records it is dmaster of, the node that was asked
/// passes them on to its client as messages.
#include <fmt/format.h>

#include <algorithm>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/traverse.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

bytes traverse_record_bytes(std::uint32_t id, const record_view& r) {
  bytes data;
  append_header(data, r.header);
  data.append(r.data);
  return wire::encode(rec_data{.reqid = id, .key = r.key, .data = data});
}

}  // namespace

void node::traverse_start(const control_request& r) {
  traverse_start_ext t;
  if (r.opcode == control::traverse_start_ext) {
    auto full = wire::decode<traverse_start_ext>(r.data);
    if (!full) return r.answer.fail();
    t = *full;
  } else {
    auto plain = wire::decode<floe::traverse_start>(r.data);
    if (!plain) return r.answer.fail();
    t = {.db_id = plain->db_id, .reqid = plain->reqid, .srvid = plain->srvid};
  }
  auto d = databases_.find(t.db_id);
  if (d == databases_.end()) return r.answer.fail("unknown database");
  if (const auto why = unfit(d->second); !why.empty() && tunables_[tunable::allow_unhealthy_db_read] == 0)
    return r.answer.fail(why + "; AllowUnhealthyDBRead=1 shows it nevertheless");
  const auto id = ++last_traverse_;
  std::vector<pnn> from{env_.self};
  if (d->second.kind == db_kind::volatile_db) {
    from = destinations(pnn::broadcast_active);
  } else if (std::ranges::find(view_->map, env_.self) == view_->map.end() && !view_->map.empty()) {
    from = {view_->map.front()};
  }
  traverse_entry entry{.client = r.client->id, .session = r.client->session, .srvid = t.srvid,
                       .client_reqid = number(t.reqid), .db = t.db_id, .ends_missing = from.size()};
  entry.deadline = env_.loop.after(
      std::chrono::seconds(tunables_[tunable::traverse_timeout]), [to = self(), self = env_.self, id] {
        to.tell(call_control{.to = self, .opcode = control::traverse_kill,
                             .data = wire::encode(floe::traverse_start{.db_id = db_id{0}, .reqid = reqid{id}, .srvid = srvid{0}}),
                             .patience = std::chrono::seconds(1), .answer = {}});
      });
  traverses_.emplace(id, std::move(entry));
  r.answer.good();
  const traverse_all_ext all{.db_id = t.db_id, .reqid = reqid{id}, .pnn = env_.self, .client_reqid = t.reqid,
                             .srvid = t.srvid, .withemptyrecords = t.withemptyrecords};
  for (pnn p : from) {
    if (p == env_.self)
      run_local_traverse(t.db_id, t.withemptyrecords, env_.self, id);
    else
      call(p, control::traverse_all_ext, wire::encode(all), srvid{0}, 0, control_flag::noreply, duration{0}, {});
  }
}

void node::traverse_all(const control_request& r) {
  if (r.opcode == control::traverse_all_ext) {
    auto t = wire::decode<traverse_all_ext>(r.data);
    if (!t) return r.answer.fail();
    run_local_traverse(t->db_id, t->withemptyrecords, t->pnn, number(t->reqid));
  } else {
    auto t = wire::decode<floe::traverse_all>(r.data);
    if (!t) return r.answer.fail();
    run_local_traverse(t->db_id, false, t->pnn, number(t->reqid));
  }
  r.answer.good();
}

void node::run_local_traverse(db_id db, bool with_empty, pnn origin, std::uint32_t id) {
  auto d = databases_.find(db);
  const auto emit = [to = self(), self = env_.self, origin, id](bytes data) {
    to.tell(call_control{.to = origin, .opcode = control::traverse_data, .data = std::move(data),
                         .patience = std::chrono::seconds(1), .answer = {}, .flags = control_flag::noreply});
    (void)self;
  };
  const auto end = [emit, id] { emit(wire::encode(rec_data{.reqid = id, .key = {}, .data = {}})); };
  if (d == databases_.end()) return end();
  d->second.to.tell(db_traverse{
      .with_empty = with_empty,
      .emit = [emit, id](const record_view& r) { emit(traverse_record_bytes(id, r)); },
      .done = [end, &log = env_.log, name = d->second.name](const std::string& error) {
        if (!error.empty()) log.warning(fmt::format("traverse-incomplete db={} why=\"{}\"", name, error));
        end();
      }});
}

void node::traverse_data(const control_request& r) {
  auto d = wire::decode<rec_data>(r.data);
  if (!d) return r.answer.fail();
  traverse_record(d->reqid, *d);
  r.answer.good();
}

void node::traverse_record(std::uint32_t id, const rec_data& d) {
  auto t = traverses_.find(id);
  if (t == traverses_.end()) return;
  if (d.is_end()) {
    if (--t->second.ends_missing == 0) end_traverse(id);
    return;
  }
  const auto data = wire::encode(rec_data{.reqid = t->second.client_reqid, .key = d.key, .data = d.data});
  t->second.session.tell(session_send{
      make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = reqid{0}},
                 req_message{.srvid = t->second.srvid, .data = data})});
}

void node::end_traverse(std::uint32_t id) {
  auto t = traverses_.find(id);
  if (t == traverses_.end()) return;
  env_.loop.cancel(t->second.deadline);
  const auto data = wire::encode(rec_data{.reqid = t->second.client_reqid, .key = {}, .data = {}});
  t->second.session.tell(session_send{
      make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = reqid{0}},
                 req_message{.srvid = t->second.srvid, .data = data})});
  traverses_.erase(t);
}

/// From ourselves: our traverse took too long. From another node: it does not want our records any more; what is
/// under way is small and ends by itself.
void node::traverse_kill(const control_request& r) {
  auto t = wire::decode<floe::traverse_start>(r.data);
  if (t && r.from == env_.self && traverses_.contains(number(t->reqid))) {
    ++env_.count.traverse_timeouts;
    end_traverse(number(t->reqid));
  }
  r.answer.good();
}

void node::end_traverses_of(std::uint64_t client) {
  std::erase_if(traverses_, [&](auto& t) {
    if (t.second.client != client) return false;
    env_.loop.cancel(t.second.deadline);
    return true;
  });
}

}  // namespace floe
