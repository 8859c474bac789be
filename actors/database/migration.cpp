/// How records move between nodes: requests for them are sent, answered, passed on, and sent again after a recovery.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/database/log_text.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"

namespace floe {

pnn database::lmaster(byte_view key) const { return lmaster_of(key, view_->map); }

void database::on(db_peer_packet& m) {
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
  auto here = header_of(key);
  if (!here) {
    const auto missing = decide_missing(config_.kind, env_.self, lmaster(key));
    here = missing.header;
    if (missing.write) put(key, *here, {});
  }
  const bool read_only = wants_copy(w, locks_.at(key));
  const auto d = decide_req_call(
      env_.self, lmaster(key), header.src, *here, call.hopcount,
      {.read_only = read_only, .follows_record = given_to_ == here->dmaster && is_floe(given_to_)});
  if (d.report_hops)
    env_.log.tell(event::request_wanders{
        .db = config_.name, .key = to_hex(key), .hops = d.hops, .source = header.src});
  switch (d.outcome) {
    case req_call_outcome::serve_own:
      break;  // an old copy of a request of ours; its record has long been granted
    case req_call_outcome::redirect:
      call.hopcount = d.hops;
      // One of our own, which has come back to us as the lmaster because the record had moved on, is where the record is
      // now: others are held back for it only as long as that is so (held_for_us). Were it believed to be where it was
      // sent first, a node might hold it back for a request of its own that is held back here.
      if (auto* e = locks_.find(key); e && e->migration && header.src == env_.self &&
                                      e->migration->id == header.id &&
                                      !mutated(mutant::request_sent_on_forgotten))
        e->migration->to = d.to;
      send_packet(d.to, header.id, header.src, call);
      break;
    case req_call_outcome::lost:  // whoever asked asks again at the thaw
      node_.tell(want_recovery{fmt::format("a request for {} of {} wanders: nobody has the record",
                                           to_hex(key), config_.name)});
      break;
    case req_call_outcome::give_directly:
    case req_call_outcome::give_via_lmaster:
      if (!reachable(d.to)) break;  // the record would be lost on its way; whoever asked asks again
      env_.count.count_hops(d.hops);
      count_.count_hops(d.hops);
      hot_.count(key, env_.loop.now(), d.hops);
      if (stays_.wandered(key, d.hops, env_.loop.now()))
        env_.log.tell(event::record_sticky{
            .db = config_.name, .key = to_hex(key), .hops = d.hops, .source = header.src});
      give(key, header, d);
      break;
    case req_call_outcome::give_copy:
      if (!reachable(d.to)) break;
      env_.count.count_hops(d.hops);
      count_.count_hops(d.hops);
      give_copy(key, header);
      break;
    case req_call_outcome::unroutable:
      send_packet(header.src, header.id, env_.self,
                  reply_error{.status = -1, .message = "no vnn map: nobody to ask"});
      break;
  }
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
  if (granting && map_applies(gen_, view_->gen)) return false;
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
  if (!out_of_table(bytes(m.key))) return store_later(from, p);
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
    if (m.data.empty() && !locks_.find(m.key)) came_home(m.key);
    arrived(bytes(m.key), header.id);
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
  const bool open = thawed() && map_applies(gen_, view_->gen) && !in_table(r.key);
  const auto header = open ? decide_push_record(env_.self, m.from, view_->gen, r.generation,
                                                r.header, header_of(r.key))
                           : std::nullopt;
  if (header && !put(r.key, *header, r.data))
    return m.answer.fail("cannot store: " + storage_.last_refusal());
  m.answer.good();
}

/// Whether a record may be the answer to a request of ours, however late: the sender has given it up then, and it must be
/// stored. Numbers of requests count up and wrap; one that lies ahead was never used.
bool database::was_asked(reqid id, byte_view key) const {
  if (const auto i = key_of_request_.find(number(id)); i != key_of_request_.end())
    return i->second == key;
  const auto behind = (env_.ids.last - number(id)) & request_ids::highest;
  return number(id) != 0 && behind < request_ids::highest / 2;
}

void database::peer(pnn from, const parcel_ptr& p, const reply_dmaster& m) {
  if (!was_asked(p->content.header.id, m.key)) {
    env_.log.tell(
        event::record_not_asked_for{.db = config_.name, .key = to_hex(m.key), .from = from});
    return;
  }
  if (wait_for_thaw(from, p)) return;
  if (!out_of_table(bytes(m.key))) return store_later(from, p);
  const auto d = decide_reply_dmaster(
      env_.self,
      {.source = from, .new_dmaster = env_.self, .rsn = m.rsn, .flags = m.record_flags.value_or(0)},
      {});
  if (!store_as_daemon(m.key, d.header, m.data)) {
    store_later(from, p);
    return refuse_waiters(bytes(m.key));
  }
  arrived(bytes(m.key), p->content.header.id);
}

void database::peer(pnn from, const parcel_ptr& p, const reply_error& m) {
  auto i = key_of_request_.find(number(p->content.header.id));
  if (i == key_of_request_.end()) return;
  const bytes key = i->second;
  auto* e = locks_.find(key);
  env_.log.tell(event::migration_refused{
      .db = config_.name, .key = to_hex(key), .by = from, .why = m.message});
  // Typically the node has not attached the database yet. The next tick asks again, by way of the lmaster.
  if (e && e->migration) e->migration->sent = time_point{};
  if (e && e->migration && mutated(mutant::retries_spin))
    return ask_for(key, *e, from, e->migration->copy);
  need_tick();
}

/// A record has become ours: whoever waits for it is served, whatever request brought it.
void database::arrived(const bytes& key, reqid) {
  ++migrations_done_;
  hot_.count(key, env_.loop.now());
  stays_.came(key, env_.loop.now());
  if (auto* e = locks_.find(key)) e->came = env_.loop.now();
  if (auto* e = locks_.find(key); e && e->migration) {
    const auto waited = env_.loop.now() - e->migration->since;
    if (e->migration->sends > 1 || waited > std::chrono::milliseconds(20))
      note(event::migration_done{.key = to_hex(key), .waited_us = microseconds(waited)});
    forget_request(e->migration->id);
    e->migration.reset();
  }
  advance(key);
}

void database::forget_request(reqid id) {
  key_of_request_.erase(number(id));
  env_.ids.answered(id);
}

void database::ask_for(const bytes& key, lock_table::entry& e, pnn whom, bool copy) {
  if (whom == pnn::unknown || whom == env_.self)
    return;  // no map yet; the next one thaws us and we come again
  const auto now = env_.loop.now();
  auto m = e.migration.value_or(migration_request{.since = now});
  const bool again = m.sends > 0;
  if (again) forget_request(m.id);
  // a late answer to the old number must not be taken for the new one
  m.id = env_.ids.take_for(config_.id);
  m.to = whom;
  m.gen = gen_;
  m.sent = now;
  m.copy = copy;
  ++m.sends;
  e.migration = m;
  key_of_request_[number(m.id)] = key;
  if (again) ++migrations_resent_;
  if (again || !thawed() || view_->mode == recovery_mode::active)
    note_request(again, key, whom, m.id);
  send_packet(whom, m.id, env_.self,
              req_call{.flags = copy ? call_flag::want_readonly : call_flag::immediate_migration,
                       .db = config_.id,
                       .callid = copy ? call_id::fetch_with_header : call_id::null,
                       .hopcount = 0,
                       .key = key,
                       .data = {}});
  need_tick();
}

/// At thaw: every pending request is asked again with a new number and the new generation, by the new map.
void database::resend_pending() {
  in_slices(locks_.keys(), [this, of = ++thaws_](const bytes& key) {
    auto* e = locks_.find(key);
    if (!e || of != thaws_ || !thawed()) return;
    if (e->migration && !mutated(mutant::requests_not_sent_again)) {
      const auto now = at_thaw(state_of(key, *e));
      if (now.action == pending_action::arrived) {
        ++migrations_resent_;
        note_request(true, key, env_.self, env_.ids.take());
        arrived(key, e->migration->id);
      } else
        ask_for(key, *e, now.to, e->migration->copy);
    }
    advance(key);
  });
}

/// A node has connected: what was asked of it before was lost, and it may have had no way to give us what it has.
void database::ask_again_if_one_came(const cluster_view& before) {
  bool came = false;
  for (std::uint32_t n = 0; n < before.nodes.size(); ++n)
    came |= (before.nodes[n].flags & node_flag::disconnected) && reachable(pnn{n});
  if (!came || !thawed() || !map_applies(gen_, view_->gen)) return;
  in_slices(migrating_keys(), [this](const bytes& key) {
    auto* e = locks_.find(key);
    if (!e || !e->migration || !thawed()) return;
    ask_for(key, *e, e->migration->to, e->migration->copy);
    advance(key);
  });
}

/// Requests of other nodes that waited through a recovery are dropped: their senders ask again at their thaw.
void database::drop_stale_waiters(generation before) {
  if (before == gen_) return;
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    std::erase_if(e->waiters, [&](const lock_waiter& w) {
      return !survives_wait(w.use == record_use::peer_call, w.gen, gen_);
    });
    locks_.tidy(key);
  }
}

/// The content has been replaced as a whole: records and requests of other nodes that waited are of before.
void database::drop_what_waits() {
  deferred_.clear();
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    std::erase_if(e->waiters, [](const lock_waiter& w) { return w.use == record_use::peer_call; });
    locks_.tidy(key);
  }
}

/// Of the records that have been asked for, in the same order in every run.
std::vector<bytes> database::migrating_keys() const {
  std::vector<bytes> keys;
  keys.reserve(key_of_request_.size());
  for (const auto& [id, key] : key_of_request_) keys.push_back(key);
  std::ranges::sort(keys);
  return keys;
}

void database::on(db_tick&) {
  ticking_ = false;
  if (freeze_.state == freeze_state::freezing) holders_.name(lock_holders());
  if (thawed() && map_applies(gen_, view_->gen)) {
    in_slices(migrating_keys(), [this](const bytes& key) {
      auto* e = locks_.find(key);
      if (!e || !e->migration || !thawed()) return;
      for (auto& w : e->waiters) note_wait(key, *e, w);
      const auto& m = *e->migration;
      const auto next =
          at_tick(state_of(key, *e), {.to = m.to, .sent = m.sent, .wanted = !e->waiters.empty()},
                  config_.resend_after);
      if (next.action == pending_action::keep) return;
      if (next.action == pending_action::ask_again) {
        ask_for(key, *e, next.to, m.copy);
        return advance(key);
      }
      forget_request(m.id);
      e->migration.reset();
      locks_.tidy(key);
    });
  }
  if (!locks_.empty()) need_tick();
}

void database::need_tick() {
  if (ticking_) return;
  ticking_ = true;
  env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(db_tick{}); });
}

}  // namespace floe
