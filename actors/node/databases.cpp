/// The list of databases of a node: attach, names, and the way to each one's actor.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "actors/database/database.hpp"
#include "actors/health/file_checks.hpp"
#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/need_recovery.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::size_t longest_name = 200;

db_kind kind_of(control attach) {
  if (attach == control::db_attach_persistent) return db_kind::persistent;
  return attach == control::db_attach_replicated ? db_kind::replicated : db_kind::volatile_db;
}
control attach_control(db_kind k) {
  if (k == db_kind::persistent) return control::db_attach_persistent;
  return k == db_kind::replicated ? control::db_attach_replicated : control::db_attach;
}
std::uint8_t flags_of(db_kind k) {
  if (k == db_kind::persistent) return db_flag::persistent;
  return k == db_kind::replicated ? db_flag::replicated : 0;
}

/// The name becomes a file name: nothing in it may lead elsewhere.
bool acceptable(byte_view name) {
  return !name.empty() && name.size() <= longest_name && name.find('/') == byte_view::npos && name[0] != '.' &&
         std::ranges::all_of(name, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

/// Control data that starts with a database id.
std::optional<db_id> leading_db(byte_view data) {
  if (data.size() < 4) return std::nullopt;
  std::uint32_t n = 0;
  std::memcpy(&n, data.data(), sizeof n);
  return db_id{n};
}

/// Rather than replacing or describing it.
bool uses_content(control c) {
  return c == control::record_lock || c == control::record_read || c == control::record_scan ||
         c == control::trans3_commit || c == control::update_record;
}

bytes as_string(byte_view s) { return wire::encode(wire::string{s}); }

}  // namespace

void node::attach(const control_request& r) {
  auto text = wire::decode<wire::string>(r.data);
  if (!text || !acceptable(text->value)) return r.answer.fail("not a name for a database");
  const bytes name(text->value);
  const auto kind = kind_of(r.opcode);
  const bool during_recovery = r.flags & control_flag::attach_in_recovery;
  const auto flags = view_->own_flags();
  if (r.client) {
    if (tunables_[tunable::allow_client_db_attach] == 0) return r.answer.fail("AllowClientDBAttach is 0");
    if (flags & node_flag::inactive) return r.answer.fail("node is inactive");
    const bool busy = view_->mode == recovery_mode::active || view_->run < runstate::startup;
    if (busy && !during_recovery) {
      deferred_.push_back({r, env_.loop.now() + std::chrono::seconds(tunables_[tunable::deferred_attach_timeout])});
      return;
    }
  }
  if (during_recovery && view_->mode != recovery_mode::active) return r.answer.fail("no recovery is going on");
  auto i = databases_.find(db_id_of(name));
  if (i == databases_.end()) return create_database(name, kind, true, r.answer);
  auto& d = i->second;
  if (d.name != name)
    return r.answer.fail(fmt::format("{} has the same id as {}", name, d.name));
  // attaching as volatile asks for no kind: it finds whatever is there (as ctdbd)
  if (kind != db_kind::volatile_db && kind != d.kind) return r.answer.fail(name + " exists as another kind");
  if (d.detaching) return r.answer.fail(name + " is being detached: try again");
  if (!d.open) return d.attaching.push_back(r.answer);
  r.answer.good(wire::encode(number(i->first)));
}

void node::create_database(const std::string& name, db_kind kind, bool tell_others, replier answer) {
  const db_id id = db_id_of(name);
  const auto& dir = kind == db_kind::persistent ? config_.persistent_dir : config_.volatile_dir;
  database_entry d{.name = name, .path = fmt::format("{}/{}.{}", dir, name, number(env_.self)), .kind = kind,
                   .flags = flags_of(kind), .gen = generation::invalid, .members = {}, .to = {}, .tell_others = tell_others, .attaching = {}};
  // To claim the generation of a recovery that goes on would outdate the others.
  d.fresh = view_->mode == recovery_mode::active;
  if (!d.fresh) d.gen = view_->gen;
  d.members = view_->map;
  d.attaching.push_back(std::move(answer));
  const auto file = d.path;
  databases_.emplace(id, std::move(d));
  std::error_code error;
  if (kind != db_kind::persistent || !env_.checks || !std::filesystem::exists(file, error)) return open_database(id, {});
  env_.checks->check(file, [to = self(), this, id, name, file](file_verdict v) {
    to.tell(database_checked{id, [this, name, file, v = std::move(v)] {
                               return !v || v->sound ? std::string() : set_file_aside(name, file, v->finding);
                             }});
  });
}

void node::on(database_opened& m) {
  auto i = databases_.find(m.id);
  if (i == databases_.end()) return;
  auto& d = i->second;
  auto waiting = std::exchange(d.attaching, {});
  if (!m.error.empty()) {
    databases_.erase(i);
    for (auto& w : waiting) w.fail(m.error);
    return started_with(m.id);
  }
  d.open = true;
  d.damage = m.damage;
  if (!d.damage.empty()) env_.log.error(fmt::format("database-damaged db={} what=\"{}\"", d.name, d.damage));
  attach_order_.push_back(m.id);
  d.to.tell(db_view{view_});  // it may have changed since the actor was made
  d.to.tell(holder_rules());
  d.to.tell(database_settings());
  for (auto& w : waiting) w.good(wire::encode(number(m.id)));
  if (starting_.contains(m.id)) return started_with(m.id);
  if (!d.tell_others) return;
  const bytes data = as_string(d.name);
  for (pnn p : destinations(pnn::broadcast_connected))
    if (p != env_.self)
      call(p, attach_control(d.kind), data, floe::srvid{0}, 0, control_flag::noreply, duration{0}, {});
}

void node::on(database_changed& m) {
  auto i = databases_.find(m.id);
  if (i == databases_.end()) return;
  auto& d = i->second;
  if (d.state != m.state) d.state_since = env_.loop.now();
  d.state = m.state;
  // born in the middle of a recovery, it has the new generation already
  if (m.recovered) d.fresh = false;
  if (d.gen == m.gen) return;
  d.gen = m.gen;
  d.dispute.clear();
  d.members = members_of(m.gen);
  d.fresh = d.slept = false;
}

/// Persistent databases are known by their files NAME.PNN.
void node::attach_from_disk() {
  const auto suffix = fmt::format(".{}", number(env_.self));
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(config_.persistent_dir, error)) {
    auto name = entry.path().filename().string();
    if (!name.ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    if (acceptable(name)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  for (const auto& n : names) starting_.insert(db_id_of(n));
  for (const auto& n : names) create_database(n, db_kind::persistent, false, {});
}

void node::retry_deferred_attaches() {
  if (deferred_.empty()) return;
  const bool ready = view_->mode == recovery_mode::normal && view_->run >= runstate::startup;
  auto waiting = std::exchange(deferred_, {});
  for (auto& d : waiting) {
    if (ready)
      attach(d.request);
    else if (env_.loop.now() >= d.until)
      d.request.answer.fail("recovery did not end in time");
    else
      deferred_.push_back(std::move(d));
  }
}

/// In a cluster that is NORMAL a database is frozen for moments only, by a tool that replaces its content. Who froze it
/// for longer has died, or is a leader that should not be one, which shows sooner: a recovery puts it right.
void node::watch_frozen() {
  if (view_->mode != recovery_mode::normal || view_->own_flags() & node_flag::inactive) return;
  const auto budget = std::chrono::seconds(tunables_[tunable::recover_timeout]);
  for (const auto& [id, d] : databases_) {
    if (!d.open || d.state == freeze_state::thawed) continue;
    if (env_.loop.now() - d.state_since < freeze_patience(d.state, d.frozen_by, view_->leader, budget)) continue;
    return set_mode(recovery_mode::active, fmt::format("{} is {} and nobody recovers it", d.name, name(d.state)));
  }
}

void node::get_dbmap(const control_request& r) {
  dbid_map map;
  for (auto id = attach_order_.rbegin(); id != attach_order_.rend(); ++id)
    if (auto d = databases_.find(*id); d != databases_.end())
      map.dbs.push_back({.db_id = *id, .flags = d->second.flags});
  r.answer.good(wire::encode(map));
}

void node::get_db_lineages(const control_request& r) {
  check_own_pulse();
  db_lineage_list list;
  for (const auto& [id, d] : databases_)
    if (!d.fresh)
      for (pnn member : d.members)
        if (member != env_.self || !d.slept || d.members.size() == 1)
          list.entries.push_back({.db_id = id, .generation = d.gen, .member = member});
  r.answer.good(wire::encode(list));
}

void node::get_dbname(const control_request& r) {
  auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end()) return r.answer.fail();
  r.answer.good(as_string(d->second.name));
}

void node::get_dbpath(const control_request& r) {
  auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end()) return r.answer.fail();
  r.answer.good(as_string(d->second.path));
}

void node::db_get_health(const control_request& r) {
  const auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end()) return r.answer.fail();
  r.answer.good(d->second.damage.empty() ? bytes() : as_string(d->second.damage));
}

/// From then on its file is opened with a sequence number.
void node::enable_seqnum(const control_request& r) {
  if (auto d = databases_.find(leading_db(r.data).value_or(db_id{0})); d != databases_.end()) d->second.sequence = true;
  to_database(r);
}

void node::db_open_flags(const control_request& r) {
  auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end()) return r.answer.fail();
  using namespace open_flag;
  std::uint32_t flags = disallow_nesting;
  // Not clear_if_first, which ctdbd says: whoever opens the file as a TDB would empty it under us, since nobody else
  // has it open as one. Without the flag it finds that the file is none, and fails.
  if (d->second.kind != db_kind::persistent) flags |= nosync | incompatible_hash;
  if (d->second.kind == db_kind::volatile_db) flags |= mutex_locking;
  if (d->second.sequence) flags |= seqnum;
  r.answer.good(wire::encode(static_cast<std::int32_t>(flags)));
}

void node::set_db_flag(const control_request& r) {
  auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end()) return r.answer.fail();
  if (d->second.kind != db_kind::volatile_db) return r.answer.fail("only for volatile databases");
  d->second.flags |= r.opcode == control::set_db_readonly ? db_flag::readonly : db_flag::sticky;
  r.answer.good();
}

/// The rest of the cluster goes on without it. The dispute ends when a recovery of it is committed.
void node::db_dispute(const control_request& r) {
  auto about = wire::decode<db_disputed>(r.data);
  if (!about) return r.answer.fail("no database is named");
  auto d = databases_.find(about->db_id);
  if (d == databases_.end()) return r.answer.fail("unknown database");
  d->second.dispute = about->detail.empty() ? "its nodes disagree about it" : std::string(about->detail);
  env_.log.error(fmt::format("database-disputed db={} what=\"{}\"", d->second.name, d->second.dispute));
  r.answer.good();
}

void node::to_database(const control_request& r) {
  auto d = databases_.find(leading_db(r.data).value_or(db_id{0}));
  if (d == databases_.end() || !d->second.open) return r.answer.fail("unknown database");
  if (r.client && !d->second.dispute.empty())
    return r.answer.fail(fmt::format("{} is out of use: its nodes disagree ({})", d->second.name, d->second.dispute));
  if (r.client && uses_content(r.opcode))
    if (const auto why = unfit(d->second); !why.empty()) return r.answer.fail(why);
  if (r.opcode == control::db_freeze) {
    const bool of_client = r.client || std::get<req_control>(r.packet->content.body).client_id != 0;
    d->second.frozen_by = of_client ? pnn::unknown : r.from;
  }
  d->second.to.tell(db_control{.opcode = r.opcode, .packet = r.packet, .from = r.from, .client = r.client, .answer = r.answer});
}

/// Store, delete and unlock name a lock, whose upper half is the database.
void node::record_control(const control_request& r) {
  std::uint64_t lock_id = 0;
  if (r.data.size() >= sizeof lock_id) std::memcpy(&lock_id, r.data.data(), sizeof lock_id);
  auto d = databases_.find(db_id{static_cast<std::uint32_t>(lock_id >> 32)});
  if (d == databases_.end() || !d->second.open)
    return r.answer.status(record_status_not_held, "this lock is not held by this client");
  d->second.to.tell(db_control{.opcode = r.opcode, .packet = r.packet, .from = r.from, .client = r.client, .answer = r.answer});
}

}  // namespace floe
