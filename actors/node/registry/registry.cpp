#include "actors/node/registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/node/membership/last_map.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe {
namespace {

/// A record stays for so long at most, whatever is set: other nodes wait for it, and what it has been promised when it came
/// is not taken back when the setting is.
constexpr std::chrono::milliseconds longest_of_stream{1000}, longest_pindown{60'000};

std::chrono::milliseconds longest(std::uint32_t wanted, std::chrono::milliseconds most) {
  return std::min(std::chrono::milliseconds(wanted), most);
}

/// Rather than replacing or describing it.
bool uses_content(control c) {
  return c == control::record_lock || c == control::record_read || c == control::record_scan ||
         c == control::trans3_commit || c == control::update_record;
}

/// They name a lock: to whoever has none of this database it is one that he does not hold.
bool names_a_lock(control c) {
  return c == control::record_store || c == control::record_delete || c == control::record_unlock;
}

std::string disputed(const database_entry& d) {
  return fmt::format("{} is out of use: its nodes disagree ({})", d.name, d.dispute);
}

}  // namespace

std::string unfit(const database_entry& d) {
  if (!d.dispute.empty()) return disputed(d);
  if (d.damage.empty()) return {};
  return fmt::format(
      "{} is not whole: {}; a recovery with a node that has a whole copy heals it, and so does "
      "restoring a backup",
      d.name, d.damage);
}

database_entry* registry::find(db_id id) {
  const auto i = all_.find(id);
  return i == all_.end() ? nullptr : &i->second;
}

const database_entry* registry::find(db_id id) const {
  const auto i = all_.find(id);
  return i == all_.end() ? nullptr : &i->second;
}

std::string registry::name_of(db_id id) const {
  const auto* d = find(id);
  return d ? d->name : std::string();
}

void registry::erase(db_id id) {
  all_.erase(id);
  std::erase(order_, id);
}

// --- the way to a database's actor -----------------------------------------------------------------------------

void registry::tell_all(const database_message& m) const {
  for (const auto& [id, d] : all_) d.to.tell(m);
}

void registry::forward(db_id id, const caller& by, db_control m) {
  auto* d = find(id);
  if (!d || !d->open) {
    if (names_a_lock(by.opcode))
      return m.answer.status(record_status_not_held, "this lock is not held by this client");
    return m.answer.fail("unknown database",
                         takes_part(by) ? failure_cause::refused : failure_cause::apart);
  }
  if (by.client && !names_a_lock(by.opcode)) {
    if (!d->dispute.empty()) return m.answer.fail(disputed(*d));
    if (uses_content(by.opcode))
      if (const auto why = unfit(*d); !why.empty()) return m.answer.fail(why);
  }
  if (by.opcode == control::db_freeze)
    d->frozen_by = by.client || by.client_id != 0 ? pnn::unknown : by.from;
  // from then on its file is opened with a sequence number
  if (by.opcode == control::enable_seqnum) d->sequence = true;
  d->to.tell(std::move(m));
}

/// In what another node asks of it: a transaction of a generation that this node has not seen is good without it.
bool registry::takes_part(const caller& by) const {
  const auto& view = port_.view();
  if (by.client) return true;
  return !(view.own_flags() & node_flag::inactive) && by.packet->content.header.gen == view.gen;
}

void registry::client_calls(const client_ref& c, const parcel_ptr& p, const req_call& call) {
  auto* d = find(call.db);
  if (hold_until_open(d, db_client_call{c, p})) return;
  const bool there = d && d->open;
  if (there && unfit(*d).empty()) return d->to.tell(db_client_call{c, p});
  // ctdbd never answers here and its client waits for ever; an error status is understood by all
  if (!there)
    port_.env.log.tell(
        event::unknown_database{.db = fmt::format("{:#010x}", number(call.db)), .client = c.id});
  c.session.tell(
      session_send{port_.for_client(p->content.header.id, reply_call{.status = -1, .data = {}})});
}

void registry::record_packet(pnn from, const parcel_ptr& p, db_id id, bool asks) {
  const auto& view = port_.view();
  const auto& header = p->content.header;
  if (!accept_generation(header.gen, view.gen, view.own_flags() & node_flag::banned)) {
    ++port_.env.count.dropped_generation;
    return;
  }
  auto* d = find(id);
  if (d && d->open) return d->to.tell(db_peer_packet{from, p});
  if (hold_until_open(d, db_peer_packet{from, p})) return;
  if (asks)
    port_.send(header.src, header.id,
               reply_error{.status = -1,
                           .message = fmt::format("Unknown database in request. db_id==0x{:08x}",
                                                  number(id))});
}

/// A node that has just attached a database asks for a record of it at once, when this one knows the database and has not
/// opened it yet. An error would be the end of it: ctdbd never answers the client that waits.
bool registry::hold_until_open(database_entry* d, database_message m) const {
  constexpr std::size_t most_held = 10'000;
  if (!d || d->open || d->detaching || d->until_open.size() >= most_held) return false;
  d->until_open.push_back(std::move(m));
  return true;
}

void registry::dispatch_again(db_id id, const database_message& m) {
  if (const auto* c = std::get_if<db_client_call>(&m))
    return client_calls(c->client, c->packet, std::get<req_call>(c->packet->content.body));
  const auto& p = std::get<db_peer_packet>(m);
  const auto& body = p.packet->content.body;
  record_packet(
      p.from, p.packet, id,
      std::holds_alternative<req_call>(body) || std::holds_alternative<req_dmaster>(body));
}

void registry::answered(pnn from, const parcel_ptr& p) {
  const auto id = port_.env.ids.asked_by(p->content.header.id);
  if (const auto* d = id ? find(*id) : nullptr) d->to.tell(db_peer_packet{from, p});
}

// --- what changes ----------------------------------------------------------------------------------------------

void registry::changed(const database_changed& m) {
  auto* d = find(m.id);
  if (!d) return;
  if (d->state != m.state) d->state_since = port_.env.loop.now();
  d->state = m.state;
  // born in the middle of a recovery, it has the new generation already
  if (m.recovered) d->fresh = false;
  if (d->gen == m.gen) return;
  // what a client puts there it puts there on all nodes of the generation that it was
  if (!is_replaced(m.gen)) d->members = members_of(m.gen);
  d->gen = m.gen;
  d->dispute.clear();
  d->fresh = d->slept = false;
}

void registry::health_changed(database_health& m) {
  auto* d = find(m.id);
  if (!d || d->damage == m.damage) return;
  if (m.damage.empty())
    port_.note(event::database_healed{.was = d->damage}, m.id);
  else
    port_.note(event::database_damaged{.what = m.damage}, m.id);
  d->damage = std::move(m.damage);
}

void registry::first_tick() { last_tick_ = port_.env.loop.now(); }

void registry::tick() {
  check_pulse();
  last_tick_ = port_.env.loop.now();
}

void registry::check_pulse() {
  const auto limit = std::chrono::milliseconds(port_.tunables[tunable::floe_keepalive_limit_ms]);
  if (port_.env.loop.now() - last_tick_ <= std::max<duration>(std::chrono::seconds(2), limit))
    return;
  for (auto& [id, d] : all_) d.slept = true;
}

void registry::remember_map(generation gen, std::vector<pnn> members) {
  constexpr std::size_t kept = 16, kept_names = 512;
  was_in_.push_back(gen);
  if (was_in_.size() > kept_names) was_in_.pop_front();
  maps_.emplace_front(gen, std::move(members));
  if (maps_.size() > kept) maps_.pop_back();
}

/// Of a generation that nobody remembers at least this node is one.
std::vector<pnn> registry::members_of(generation gen) const {
  const auto i = std::ranges::find(maps_, gen, &decltype(maps_)::value_type::first);
  return i == maps_.end() ? std::vector<pnn>{port_.env.self} : i->second;
}

bool registry::all_frozen() const {
  return std::ranges::all_of(all_, [](const auto& d) {
    return !d.second.open || d.second.state == freeze_state::frozen ||
           d.second.state == freeze_state::in_transaction;
  });
}

db_table_rules registry::table_rules() const {
  const auto& t = port_.tunables;
  return {.on = t[tunable::record_table] != 0,
          .stay = longest(t[tunable::record_table_stay_ms], longest_of_stream)};
}

/// A client must be disconnected before the leader's three tries for the database are over.
db_holder_rules registry::holder_rules() const {
  const auto& t = port_.tunables;
  const auto tries = 2 * std::max<std::uint64_t>(1, t[tunable::recover_timeout]);
  return {.policy = static_cast<holder_policy>(std::min(2U, t[tunable::lock_holder_policy])),
          .patience = std::chrono::seconds(
              std::clamp<std::uint64_t>(t[tunable::lock_holder_patience], 1, tries))};
}

db_settings registry::settings() const {
  const auto s = [&](tunable t) { return std::chrono::seconds(port_.tunables[t]); };
  const auto ms = [&](tunable t) { return std::chrono::milliseconds(port_.tunables[t]); };
  return {.vacuum = {.interval = s(tunable::vacuum_interval),
                     .max_run_time = s(tunable::vacuum_max_run_time),
                     .fast_path_count = port_.tunables[tunable::vacuum_fast_path_count],
                     .repack_limit = port_.tunables[tunable::repack_limit]},
          .seqnum_interval = ms(tunable::seqnum_interval),
          .stay = {.hops_make_sticky = port_.tunables[tunable::hopcount_make_sticky],
                   .sticky_for = s(tunable::sticky_duration),
                   .pindown = longest(port_.tunables[tunable::sticky_pindown], longest_pindown),
                   .of_stream =
                       longest(port_.tunables[tunable::record_table_stay_ms], longest_of_stream)},
          .slow = ms(tunable::log_latency_ms),
          .large = {.records = port_.tunables[tunable::db_record_count_warn],
                    .bytes = port_.tunables[tunable::db_size_warn],
                    .record_bytes = port_.tunables[tunable::db_record_size_warn]}};
}

void registry::inspect(bool locks, std::function<void(std::vector<database_report>)> done) const {
  // shared by all that are asked: `done` may hold a report of all databases, and there may be thousands
  struct gathering {
    std::vector<database_report> all;
    std::size_t left = 0;
    std::function<void(std::vector<database_report>)> done;
  };
  const auto g = std::make_shared<gathering>();
  for (const auto& [id, d] : all_) g->left += d.open;
  if (g->left == 0) return done({});
  g->done = std::move(done);
  for (const auto& [id, d] : all_)
    if (d.open)
      d.to.tell(db_inspect{locks, [g](database_report r) {
                             g->all.push_back(std::move(r));
                             if (--g->left == 0) g->done(std::move(g->all));
                           }});
}

// --- controls --------------------------------------------------------------------------------------------------

outcome_of<control::get_dbmap> registry::get_dbmap() const {
  reply_of<control::get_dbmap> list;
  for (auto id = order_.rbegin(); id != order_.rend(); ++id)
    if (const auto* d = find(*id)) list.dbs.push_back({.db_id = *id, .flags = d->flags});
  return list;
}

namespace {

/// How far this node had counted before it was started, as long as it has no map that tells.
generation latest_before(const node_port& port) {
  if (port.view().gen != generation::invalid || mutated(mutant::counts_anew) ||
      !keeps_last_map(port.config.quorum, port.config.cluster_lock))
    return generation::invalid;
  const auto kept = read_last_map(port.config.state_dir);
  return kept && *kept ? (*kept)->latest : generation::invalid;
}

}  // namespace

/// An entry of no database tells how far this node had counted.
outcome_of<control::get_db_lineages> registry::get_db_lineages() {
  check_pulse();  // it may be the first thing that this node does after it has hung
  reply_of<control::get_db_lineages> list;
  const bool made_anew =
      std::ranges::any_of(all_, [this](const auto& d) { return detached_.contains(d.first); });
  if (made_anew)
    for (const generation g : was_in_)
      list.entries.push_back({.db_id = {}, .generation = g, .member = pnn::unknown});
  // behind these: who knows nothing of them takes the last one for the latest
  if (const auto latest = latest_before(port_); made_anew || latest != generation::invalid)
    list.entries.push_back({.db_id = {}, .generation = latest, .member = port_.env.self});
  for (const auto& [id, d] : all_)
    if (!d.fresh)
      for (pnn member : d.members)
        if (member != port_.env.self || !d.slept || d.members.size() == 1)
          list.entries.push_back({.db_id = id, .generation = d.gen, .member = member});
  return list;
}

outcome_of<control::get_dbname> registry::get_dbname(
    const request_of<control::get_dbname>& id) const {
  const auto* d = find(id);
  if (!d) return refuse();
  return wire::string{d->name};
}

outcome_of<control::getdbpath> registry::get_dbpath(
    const request_of<control::getdbpath>& id) const {
  const auto* d = find(id);
  if (!d) return refuse();
  return wire::string{d->path};
}

outcome_of<control::db_get_health> registry::get_health(
    const request_of<control::db_get_health>& id) const {
  const auto* d = find(id);
  if (!d) return refuse();
  if (d->damage.empty()) return status_of(0);
  return wire::string{d->damage};
}

/// Not clear_if_first, which ctdbd says: whoever opens the file as a TDB would empty it under us, since nobody else has
/// it open as one. Without the flag it finds that the file is none, and fails.
outcome_of<control::db_open_flags> registry::open_flags(
    const request_of<control::db_open_flags>& id) const {
  const auto* d = find(id);
  if (!d) return refuse();
  using namespace open_flag;
  std::uint32_t flags = disallow_nesting;
  if (d->kind != db_kind::persistent) flags |= nosync | incompatible_hash;
  if (d->kind == db_kind::volatile_db) flags |= mutex_locking;
  if (d->sequence) flags |= seqnum;
  return static_cast<std::int32_t>(flags);
}

outcome_of<control::set_db_readonly> registry::set_flag(db_id id, std::uint8_t flag) {
  auto* d = find(id);
  if (!d) return refuse();
  if (d->kind != db_kind::volatile_db) return refuse("only for volatile databases");
  d->flags |= flag;
  return {};
}

/// Its actor hears of it, too; one that is opened later by attaching::opened.
outcome_of<control::set_db_readonly> registry::set_readonly(
    const request_of<control::set_db_readonly>& id) {
  auto done = set_flag(id, db_flag::readonly);
  if (const auto* d = find(id); done && d->open) tell_properties(*d, id);
  return done;
}

outcome_of<control::set_db_sticky> registry::set_sticky(
    const request_of<control::set_db_sticky>& id) {
  auto done = set_flag(id, db_flag::sticky);
  if (const auto* d = find(id); done && d->open) tell_properties(*d, id);
  return done;
}

void registry::tell_properties(const database_entry& d, db_id id) {
  if (d.flags & db_flag::readonly) d.to.tell(db_control::of<control::set_db_readonly>(id, {}, {}));
  if (d.flags & db_flag::sticky) d.to.tell(db_control::of<control::set_db_sticky>(id, {}, {}));
}

/// A client sends it to every node, and hears of none.
void registry::push_record(const request_of<control::push_record>& r, const caller& by,
                           const answer_to<control::push_record>& answer) {
  forward(r.db_id, by, db_control::of<control::push_record>(r, by, answer.plain()));
}

/// The rest of the cluster goes on without it. The dispute ends when a recovery of it is committed.
outcome_of<control::db_dispute> registry::dispute(const request_of<control::db_dispute>& about) {
  auto* d = find(about.db_id);
  if (!d) return refuse("unknown database");
  d->dispute = about.detail.empty() ? "its nodes disagree about it" : std::string(about.detail);
  port_.env.log.tell(event::database_disputed{.db = d->name, .what = d->dispute});
  return {};
}

}  // namespace floe
