/// How records move between nodes: what others ask for is given or passed on, what they send is taken. What this node asks
/// for is in migration_requests.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {
pnn database::lmaster(byte_view key) const { return lmaster_of(key, view_->map); }

void database::on(db_peer_packet& m) {
  if (m.from != env_.self) meter_.received(m.packet->raw->size());
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { peer(m.from, m.packet, body); }) peer(m.from, m.packet, body);
      },
      m.packet->content.body);
}

void database::peer(pnn from, const parcel_ptr& p, const req_call& call) {
  lock_waiter w{.use = record_use::peer_call, .packet = p, .from = from};
  enqueue(call.key, std::move(w));
}

void database::settle_peer_call(const bytes& key, const lock_waiter& w) {
  const auto& header = w.packet->content.header;
  auto call = std::get<req_call>(w.packet->content.body);
  if (!accept_generation(header.gen, view_->gen, false)) {
    ++env_.count.dropped_generation;
    return;
  }
  const auto here = header_for_call(key);
  const bool read_only = copies_.is_wanted(w, locks_.at(key));
  auto d = decide_req_call(env_.self, lmaster(key), header.src, here, call.hopcount, read_only);
  if (d.outcome == req_call_outcome::redirect)
    d.to = sent_on_to(d.to, is_floe(given_to_) ? given_to_ : pnn::unknown, here, header.src);
  if (d.report_hops)
    env_.log.tell(event::request_wanders{
        .db = config_.name, .key = to_hex(key), .hops = d.hops, .source = header.src});
  switch (d.outcome) {
    case req_call_outcome::serve_own:
      break;  // an old copy of a request of ours; its record has long been granted
    case req_call_outcome::redirect:
      call.hopcount = d.hops;
      send_on(header, call, d.to);
      break;
    case req_call_outcome::lost:  // whoever asked asks again at the thaw
      node_.tell(want_recovery{fmt::format("a request for {} of {} wanders: nobody has the record",
                                           to_hex(key), config_.name)});
      break;
    case req_call_outcome::give_directly:
    case req_call_outcome::give_via_lmaster:
      if (!reachable(d.to)) break;  // the record would be lost on its way; whoever asked asks again
      count_hops(d.hops);
      hot_.count(key, env_.loop.now(), d.hops);
      if (stays_.wandered(key, d.hops, env_.loop.now()))
        env_.log.tell(event::record_sticky{
            .db = config_.name, .key = to_hex(key), .hops = d.hops, .source = header.src});
      give(key, header, d);
      break;
    case req_call_outcome::give_copy:
      if (!reachable(d.to)) break;
      count_hops(d.hops);
      copies_.give(key, header);
      break;
    case req_call_outcome::unroutable:
      send_packet(header.src, header.id, env_.self,
                  reply_error{.status = -1, .message = "no vnn map: nobody to ask"});
      break;
  }
}

/// What a node that asks for the record is answered by; a record that is new to its lmaster is written.
record_header database::header_for_call(const bytes& key) {
  if (const auto here = header_of(key)) return *here;
  const auto missing = decide_missing(config_.kind, env_.self, lmaster(key));
  if (missing.write) put(key, missing.header, {});
  return missing.header;
}

/// One of our own, which has come back to us as the lmaster because the record had moved on, is where the record is now: others
/// are held back for it only as long as that is so (held_for_us in record_queue.hpp). Were it believed to be where it was sent
/// first, a node might hold it back for a request of its own that is held back here.
void database::send_on(const packet_header& request, const req_call& call, pnn to) {
  if (auto* e = locks_.find(call.key); e && e->migration && request.src == env_.self &&
                                       e->migration->id == request.id &&
                                       !mutated(mutant::request_sent_on_forgotten))
    e->migration->to = to;
  send_packet(to, request.id, request.src, call);
}

void database::count_hops(std::uint32_t hops) {
  env_.count.count_hops(hops);
  count_.count_hops(hops);
}

/// Hands the record to the node that asks for it: directly, or by way of the lmaster.
void database::give(const bytes& key, const packet_header& request, const req_call_decision& d) {
  const record r = local(key);
  if (r.header.dmaster == pnn::unknown && storage_.corrupt())
    return;  // a recovery makes it anew, after which whoever asked asks again; a ctdbd takes an error for no answer
  if (r.header.dmaster == pnn::unknown)
    return send_packet(
        request.src, request.id, env_.self,
        reply_error{.status = -1, .message = "the record cannot be given away: it cannot be read"});
  const record_header kept = giveaway_header(r.header, !r.data.empty(), request.src);
  if (!store_as_daemon(key, kept, r.data))
    // given away without a note of it, it would have two owners: whoever asked asks again
    return send_packet(
        request.src, request.id, env_.self,
        reply_error{.status = -1, .message = "the record cannot be given away: storage failed"});
  stays_.left(key);
  given_to_ = request.src;
  if (d.outcome == req_call_outcome::give_directly)
    send_packet(request.src, request.id, env_.self,
                reply_dmaster{.db = config_.id,
                              .rsn = kept.rsn,
                              .key = key,
                              .data = r.data,
                              .record_flags = kept.flags});
  else
    send_packet(d.to, request.id, env_.self,
                req_dmaster{.db = config_.id,
                            .rsn = kept.rsn,
                            .dmaster = request.src,
                            .key = key,
                            .data = r.data,
                            .record_flags = kept.flags});
}

/// What is sent to a node that is not connected is lost. Nodes connect one after the other, and the leader may have
/// recovered with one that others are not connected to yet.
bool database::reachable(pnn node) const {
  const auto* p = view_->find(node);
  return node == env_.self || mutated(mutant::records_sent_to_nobody) ||
         (p && !(p->flags & node_flag::disconnected));
}

bool database::is_floe(pnn node) const {
  const auto* p = view_->find(node);
  return p && p->floe;
}

/// A record on its way must not be lost: nodes are thawed one after the other, and one that is thawed already may
/// hand over a record to one that is not. What arrives then waits for the thaw.
bool database::wait_for_thaw(pnn from, const parcel_ptr& p) {
  const bool granting =
      freeze_.state == freeze_state::thawed || freeze_.state == freeze_state::freezing;
  if (granting && port_.is_of_map()) return false;
  if (!mutated(mutant::arrivals_dropped_in_freeze)) deferred_.push_back({from, p});
  return true;
}

void database::serve_deferred() {
  for (auto& d : std::exchange(deferred_, {}))
    if (accept_generation(d.packet->content.header.gen, view_->gen, false)) on(d);
}

void database::peer(pnn from, const parcel_ptr& p, const req_dmaster& m) {
  const auto& header = p->content.header;
  if (wait_for_thaw(from, p)) return;
  if (!table_.take_out(bytes(m.key))) return store_later(from, p);
  const auto mine = header_of(m.key);
  // there is no way to its new owner from here (they are connecting, or one of the two is lost): it stays with us
  const pnn new_dmaster = reachable(m.dmaster) ? m.dmaster : env_.self;
  const auto d = decide_req_dmaster(env_.self, lmaster(m.key),
                                    {.source = from,
                                     .new_dmaster = new_dmaster,
                                     .rsn = m.rsn,
                                     .flags = m.record_flags.value_or(0)},
                                    mine);
  if (d.ask_for_recovery()) {
    node_.tell(want_recovery{
        fmt::format("node {} gave away a record of {} that {}", number(from), config_.name,
                    d.outcome == req_dmaster_outcome::not_lmaster ? "this node is not lmaster of"
                                                                  : "it does not own")});
    return;
  }
  if (d.local_is_newer)
    env_.log.tell(event::rsn_went_back{.db = config_.name,
                                       .key = to_hex(m.key),
                                       .here = number(mine->rsn),
                                       .packet = number(m.rsn),
                                       .from = from});
  if (!store_as_daemon(m.key, d.header, m.data)) {
    store_later(from, p);
    return refuse_waiters(bytes(m.key));
  }
  if (d.outcome == req_dmaster_outcome::become) {
    if (m.data.empty() && !locks_.find(m.key)) vacuum_.came_home(m.key);
    arrived(bytes(m.key));
  } else {
    send_packet(m.dmaster, header.id, env_.self,
                reply_dmaster{.db = config_.id,
                              .rsn = m.rsn,
                              .key = m.key,
                              .data = m.data,
                              .record_flags = m.record_flags.value_or(0)});
  }
  advance(bytes(m.key));
}

/// PUSH_RECORD: a copy of a record that somebody holds elsewhere, so that its content outlives that node.
void database::push_record(db_control& m) {
  const auto& r = m.request<control::push_record>();
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail("only records of volatile databases are pushed");
  const bool open = thawed() && port_.is_of_map() && !table_.has(r.key);
  const auto header = open ? decide_push_record(env_.self, m.from, view_->gen, r.generation,
                                                r.header, header_of(r.key))
                           : std::nullopt;
  if (header && !put(r.key, *header, r.data))
    return m.answer.fail("cannot store: " + storage_.last_refusal());
  m.answer.good();
}

void database::peer(pnn from, const parcel_ptr& p, const reply_dmaster& m) {
  if (!requests_.was_asked(p->content.header.id, m.key)) {
    env_.log.tell(
        event::record_not_asked_for{.db = config_.name, .key = to_hex(m.key), .from = from});
    return;
  }
  if (wait_for_thaw(from, p)) return;
  if (!table_.take_out(bytes(m.key))) return store_later(from, p);
  const auto d = decide_reply_dmaster(
      env_.self,
      {.source = from, .new_dmaster = env_.self, .rsn = m.rsn, .flags = m.record_flags.value_or(0)},
      {});
  if (!store_as_daemon(m.key, d.header, m.data)) {
    store_later(from, p);
    return refuse_waiters(bytes(m.key));
  }
  arrived(bytes(m.key));
}

void database::peer(pnn from, const parcel_ptr& p, const reply_error& m) {
  const auto* known = requests_.key_of(p->content.header.id);
  if (!known) return;
  const bytes key = *known;
  auto* e = locks_.find(key);
  env_.log.tell(event::migration_refused{
      .db = config_.name, .key = to_hex(key), .by = from, .why = m.message});
  // Typically the node has not attached the database yet. The next tick asks again, by way of the lmaster.
  if (e && e->migration) e->migration->sent = time_point{};
  if (e && e->migration && mutated(mutant::retries_spin))
    return ask_for(key, *e, from, e->migration->copy);
  need_tick();
}

/// A copy that we have asked for.
void database::peer(pnn, const parcel_ptr& p, const reply_call& m) {
  const auto* known = requests_.key_of(p->content.header.id);
  if (!known) return;
  const bytes key = *known;
  auto* e = locks_.find(key);
  // frozen: it is asked for again when it is thawed
  if (!e || !e->migration || !e->migration->copy || !thawed() || !port_.is_of_map()) return;
  // of before a recovery: its sender knows of no copies any more
  if (p->content.header.gen != gen_ || e->migration->gen != gen_) return;
  requests_.forget(e->migration->id);
  e->migration.reset();
  bool taken = false;
  if (m.status == 0 && m.data.size() >= record_header::wire_size) {
    const auto header = load_header(m.data.data());
    const auto data = byte_view(m.data).substr(record_header::wire_size);
    taken = decide_copy(env_.self, header_of(key), header) == copy_outcome::store &&
            put(key, header, data);
  }
  // then the record itself
  if (!taken) e->no_copy = true;
  advance(key);
}

}  // namespace floe
