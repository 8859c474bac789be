/// How records move between nodes: requests for them are sent, answered, passed on, and sent again after a recovery.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/database/log_text.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {
namespace {

constexpr std::int32_t update_is_outdated = 1;  ///< as ctdbd's child says it

}  // namespace

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
  auto here = header_of(key);
  if (!here) {
    const auto missing = decide_missing(config_.kind, env_.self, lmaster(key));
    here = missing.header;
    if (missing.write) put(key, *here, {});
  }
  const bool read_only = copies_.is_wanted(w, locks_.at(key));
  auto d = decide_req_call(env_.self, lmaster(key), header.src, *here, call.hopcount, read_only);
  if (d.outcome == req_call_outcome::redirect)
    d.to = sent_on_to(d.to, is_floe(given_to_) ? given_to_ : pnn::unknown, *here, header.src);
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
      copies_.give(key, header);
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

/// UPDATE_RECORD of a volatile database: its sender owns these records and wants to write them, or it writes records of this
/// node. That waits until nobody else uses them.
void database::update_volatile(db_control& m, unsigned tries) {
  bool free = true;
  for (const rec_data& raw : m.request<control::update_record>()) {
    const auto r = raw.as_record();
    if (!r) return m.answer.fail("a record without header");
    switch (decide_called_back(env_.self, header_of(r->key), r->header).outcome) {
      case call_back_outcome::refuse:
        return m.answer.fail("this node owns the record, or is said to and does not");
      case call_back_outcome::outdated:
        return m.answer.status(update_is_outdated, "a record here is newer");
      case call_back_outcome::write: free &= is_free_to_write(bytes(r->key)); break;
      case call_back_outcome::end_copy:
      case call_back_outcome::none: break;
    }
  }
  if (!free) return update_later(m, tries);
  for (const rec_data& raw : m.request<control::update_record>()) {
    const auto r = raw.as_record();
    const auto d = decide_called_back(env_.self, header_of(r->key), r->header);
    const bool stored =
        d.outcome == call_back_outcome::end_copy ? put(r->key, d.header, local(r->key).data)
        : d.outcome == call_back_outcome::write  ? store_as_daemon(r->key, d.header, r->data)
                                                 : true;
    if (!stored) return m.answer.fail("cannot store: " + storage_.last_refusal());
    // a copy that is on its way here by a connection that has broken would not be called back
    auto* e = locks_.find(r->key);
    if (e && e->migration && e->migration->copy) ask_for(bytes(r->key), *e, e->migration->to, true);
  }
  m.answer.good();
}

/// Of a record of ours: no client has it, here or in the record table, and there are no copies of it.
bool database::is_free_to_write(const bytes& key) {
  if (!table_.take_out(key) || is_wanted(key)) return false;
  const auto here = header_of(key);
  if (!here || !copies_are_out(env_.self, *here)) return true;
  copies_.call_back(key);
  return false;
}

void database::update_later(db_control& m, unsigned tries) {
  constexpr auto pause = std::chrono::milliseconds(5);
  if (pause * tries > config_.update_patience)
    return m.answer.fail("a client has had the record all the time");
  env_.loop.after(
      pause, [this, to = self(), tries, again = std::make_shared<db_control>(std::move(m))] {
        // which runs only while this lives
        to.tell(db_next_slice{[this, again, tries] { update_record(*again, tries + 1); }});
      });
}

/// A record has become ours: whoever waits for it is served, whatever request brought it.
void database::arrived(const bytes& key) {
  ++migrations_done_;
  hot_.count(key, env_.loop.now());
  stays_.came(key, env_.loop.now());
  if (auto* e = locks_.find(key)) e->came = env_.loop.now();
  if (auto* e = locks_.find(key); e && e->migration) {
    const auto waited = env_.loop.now() - e->migration->since;
    if (e->migration->sends > 1 || waited > std::chrono::milliseconds(20))
      note(event::migration_done{.key = to_hex(key), .waited_us = in_us(waited)});
    requests_.forget(e->migration->id);
    e->migration.reset();
  }
  advance(key);
}

void database::note_request(bool again, const bytes& key, pnn to, reqid id) {
  if (again)
    note(event::migration_resent{.key = to_hex(key), .to = to, .reqid = number(id), .gen = gen_});
  else
    note(event::migration_sent{.key = to_hex(key), .to = to, .reqid = number(id), .gen = gen_});
}

void database::ask_for(const bytes& key, lock_table::entry& e, pnn whom, bool copy) {
  if (whom == pnn::unknown || whom == env_.self)
    return;  // no map yet; the next one thaws us and we come again
  const auto now = env_.loop.now();
  auto m = e.migration.value_or(migration_request{.since = now});
  const bool again = m.sends > 0;
  if (again) requests_.forget(m.id);
  // a late answer to the old number must not be taken for the new one
  m.id = env_.ids.take_for(config_.id);
  m.to = whom;
  m.gen = gen_;
  m.sent = now;
  m.copy = copy;
  ++m.sends;
  e.migration = m;
  requests_.sent(m.id, key);
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
  in_slices(locks_.keys(), [this, of = ++thaw_count_](const bytes& key) {
    auto* e = locks_.find(key);
    if (!e || of != thaw_count_ || !thawed()) return;
    if (e->migration && !mutated(mutant::requests_not_sent_again)) {
      const auto now = at_thaw(state_of(key, *e));
      if (now.action == pending_action::arrived) {
        ++migrations_resent_;
        note_request(true, key, env_.self, env_.ids.take());
        arrived(key);
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
  if (!came || !thawed() || !port_.is_of_map()) return;
  in_slices(requests_.keys(), [this](const bytes& key) {
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

void database::on(db_tick&) {
  ticking_ = false;
  if (freeze_.state == freeze_state::freezing) holders_.name(lock_holders());
  if (thawed() && port_.is_of_map()) {
    in_slices(requests_.keys(), [this](const bytes& key) {
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
      requests_.forget(m.id);
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
