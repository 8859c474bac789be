/// The queue of a key: carries out what protocol/rules/record_queue.hpp says, and tells what its requests wait for.
#include <fmt/format.h>

#include <algorithm>

#include "actors/database/asked_node.hpp"
#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Longer than a record takes to come here.
constexpr auto long_wait = std::chrono::milliseconds(20);

}  // namespace

void database::enqueue(byte_view key, lock_waiter w) {
  const auto arrival = env_.loop.now();
  w.since = arrival;
  w.gen = gen_;
  const auto client = w.client.id;
  auto& e = locks_.at(key);
  if (mutated(mutant::newest_first))
    e.waiters.push_front(std::move(w));
  else
    e.waiters.push_back(std::move(w));
  const bytes k(key);
  advance(k);
  auto* now = locks_.find(k);
  if (!now || now->waiters.empty()) return;
  need_tick();
  if (client != 0) locks_.concerns(client, k);
  // whoever is still in the queue after its first chance waits: worth a place on the timeline, unless all it waits for is
  // a record that is on its way, as most are (the tick comes back to those that do not arrive)
  const bool on_its_way = now->migration && thawed() && port_.is_of_map();
  if (!on_its_way && now->waiters.back().since == arrival) note_wait(k, *now, now->waiters.back());
}

void database::note_wait(const bytes& key, const lock_table::entry& e, lock_waiter& w) {
  if (w.use != record_use::lock || std::exchange(w.noted, true)) return;
  note(event::lock_wait{.client = w.client.id,
                        .pid = w.client.pid,
                        .name = w.client.name,
                        .key = to_hex(key),
                        .why = why_waiting(key, e)});
}

bool database::is_crowded(byte_view key, const client_ref& client, const replier& answer) {
  const auto* e = locks_.find(key);
  if (!e || e->waiters.size() < most_waiters_of_key) return false;
  if (client.usage) ++client.usage->refused;
  answer.fail(fmt::format("{} requests wait for this record already, which is the limit",
                          e->waiters.size()));
  return true;
}

/// The first ones at once, the rest in later turns, between which everything else of this node goes on.
void database::in_slices(std::vector<bytes> keys, std::function<void(const bytes&)> step) {
  constexpr std::size_t slice = 1000;
  const std::size_t now = std::min(slice, keys.size());
  for (std::size_t i = 0; i < now; ++i) step(keys[i]);
  if (now == keys.size()) return;
  struct rest {
    std::vector<bytes> keys;
    std::size_t next;
    std::function<void(const bytes&)> step;
  };
  auto left = std::make_shared<rest>(rest{std::move(keys), now, std::move(step)});
  auto go = std::make_shared<task>();
  *go = [left, to = self(), weak = std::weak_ptr(go)] {
    for (const auto end = std::min(left->keys.size(), left->next + slice); left->next < end;
         ++left->next)
      left->step(std::exchange(left->keys[left->next], {}));
    // `weak` is alive: somebody is running it
    if (left->next < left->keys.size())
      to.tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
  };
  self().tell(db_next_slice{[go] { (*go)(); }});
}

std::string database::why_waiting(const bytes& key, const lock_table::entry& e) const {
  if (e.holder)
    return fmt::format("held-by-client-{}-pid-{}", e.holder->client.id, e.holder->client.pid);
  if (const auto* c = table_.client_holding(key))
    return fmt::format("held-by-client-{}-pid-{}", c->id, c->pid);
  if (view_->own_flags() & node_flag::catching_up) return "node-catching-up";
  if (!thawed()) return fmt::format("database-{}", name(freeze_.state));
  if (!port_.is_of_map()) return "database-not-recovered";
  if (auto copies = copies_.who_has(key); !copies.empty()) return copies;
  if (e.migration)
    return to_word({.what = e.migration->copy ? asked_node::thing::copy : asked_node::thing::record,
                    .node = e.migration->to});
  if (env_.loop.now() < stays_.until(key)) return "pinned-down";
  return "queued";
}

queue_state database::state_of(const bytes& key, const lock_table::entry& e) {
  return {.self = env_.self,
          .lmaster = lmaster(key),
          .thawed = thawed() && store_use_ == store_use::here,
          .map_applies = port_.is_of_map(),
          .held = e.holder.has_value(),
          .asked = e.migration ? std::optional(e.migration->to) : std::nullopt,
          .asked_for_copy = e.migration && e.migration->copy,
          .calling_back = copies_.is_calling_back(key),
          .stays_until = stays_.until(key),
          .local = header_of(key),
          .came = e.came,
          .now = env_.loop.now(),
          .hold_back = config_.resend_after};
}

/// Serves the queue of the key as far as it goes. It may have changed altogether afterwards.
void database::advance(const bytes& key) {
  given_to_ = pnn::unknown;
  for (;;) {
    auto* e = locks_.find(key);
    if (!e || e->holder || e->waiters.empty() || store_use_ != store_use::here) break;
    if (!thawed() && !mutated(mutant::granted_while_frozen)) break;
    if (table_.keeps_waiting(key, *e)) break;
    queued_.clear();
    for (const auto& w : e->waiters)
      queued_.push_back(
          {.use = w.use,
           .source = w.use == record_use::peer_call ? w.packet->content.header.src : env_.self,
           .from = w.from,
           .since = w.since,
           .read_only = copies_.is_wanted(w, *e)});
    if (!carry_out(key, *e, next_step(state_of(key, *e), queued_))) break;
  }
  locks_.tidy(key);
}

/// False: the rest of the queue waits.
bool database::carry_out(const bytes& key, lock_table::entry& e, const queue_step& s) {
  const auto at = [&](std::size_t n) { return e.waiters.begin() + static_cast<std::ptrdiff_t>(n); };
  if (s.first) std::rotate(at(0), at(s.first), at(s.first + 1));
  if (s.ask != pnn::unknown) ask_for(key, e, s.ask, s.ask_for_copy);
  if (s.call_back) return copies_.call_back(key);
  if (s.stays) look_when_it_has_stayed(key, e);
  if (s.action == queue_action::wait) return false;
  auto w = std::move(*at(s.which));
  e.waiters.erase(at(s.which));
  switch (s.action) {
    case queue_action::settle: settle_peer_call(key, w); break;
    case queue_action::grant: grant(key, e, w); break;
    case queue_action::answer:
      if (w.use == record_use::vacuum)
        vacuum_.fetched(key);
      else if (w.use == record_use::call)
        answer_call(key, w);
      else
        answer_read(key, w);
      break;
    case queue_action::wait: break;
  }
  return true;
}

void database::look_when_it_has_stayed(const bytes& key, lock_table::entry& e) {
  if (std::exchange(e.looked_at_later, true)) return;
  env_.loop.after(stays_.until(key) - env_.loop.now(), [this, to = self(), key] {
    to.tell(db_next_slice{[this, key] {  // which runs only while this lives
      if (auto* again = locks_.find(key)) again->looked_at_later = false;
      advance(key);
    }});
  });
}

void database::grant(const bytes& key, lock_table::entry& e, lock_waiter& w) {
  locks_.forget_number(w);
  env_.loop.cancel(w.deadline);
  const auto now = env_.loop.now();
  const auto waited = now - w.since;
  stays_.locked(key, now);
  env_.count.count_lock(in_seconds(waited));
  count_.count_lock(in_seconds(waited));
  if (w.noted || waited > long_wait)
    note(event::lock_grant{.client = w.client.id,
                           .pid = w.client.pid,
                           .name = w.client.name,
                           .key = to_hex(key),
                           .waited_us = in_us(waited)});
  tell_if_slow("lock", key, w);
  if (table_.grant(key, w)) return;
  const auto lock_id = hold(key, e, w.client);
  const record r = local(key);
  witness(&database_witness::granted, key, r.header);
  w.answer.good(
      wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = lock_id}));
}

/// LogLatencyMs.
void database::tell_if_slow(const char* what, const bytes& key, const lock_waiter& w) const {
  const auto took = env_.loop.now() - w.since;
  if (settings_.slow == duration{0} || took <= settings_.slow) return;
  env_.log.tell(event::slow_request{.db = config_.name,
                                    .what = what,
                                    .key = to_hex(key),
                                    .client = w.client.id,
                                    .pid = w.client.pid,
                                    .ms = static_cast<std::uint64_t>(in_ms(took))});
}

void database::answer_read(const bytes& key, const lock_waiter& w) {
  bool found = false;
  const record r = local(key, &found);
  if (!found && r.header.dmaster == pnn::unknown)
    return w.answer.fail("cannot read: " + storage_.last_refusal());
  w.answer.good(wire::encode(record_read_reply{
      .found = found && !r.data.empty() ? 1U : 0U, .header = r.header, .data = r.data}));
  table_.show(key, w, r, found);
}

void database::answer_call(const bytes& key, const lock_waiter& w) {
  const record r = local(key);
  const auto& call = std::get<req_call>(w.packet->content.body);
  bytes data;
  if (call.callid == call_id::fetch) data = r.data;
  if (call.callid == call_id::fetch_with_header) data = wire::encode(r.header) + r.data;
  if (r.header.dmaster == env_.self) store_as_daemon(key, r.header, r.data);
  env_.count.call_latency.add(in_seconds(env_.loop.now() - w.since));
  tell_if_slow("call", key, w);
  end_call(w.client, w.packet->content.header, 0, data);
}

/// Whatever its end, a client is told of it.
void database::end_call(const client_ref& client, const packet_header& request, std::int32_t status,
                        byte_view data) {
  --env_.count.pending_calls;
  client.session.tell(session_send{
      make_frame({.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = request.id},
                 reply_call{.status = status, .data = data})});
}

}  // namespace floe
