/// Detaching databases, and databases that clients have frozen.
///
/// A database is detached on all connected nodes or reported as still there: CTDB broadcasts
/// without waiting (Samba ctdb/server/ctdb_ltdb_server.c, ctdb_control_db_detach), so that nobody
/// learns of a node that refuses.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

std::optional<db_id> one_db(byte_view data) {
  std::uint32_t n = 0;
  if (data.size() < sizeof n) return std::nullopt;
  std::memcpy(&n, data.data(), sizeof n);
  return db_id{n};
}

}  // namespace

/// Why not, or nothing.
std::string node::keeps_attached(const database_entry& d) const {
  if (d.kind != db_kind::volatile_db) return d.name + " is not volatile";
  if (view_->mode == recovery_mode::active) return "a recovery is going on";
  if (tunables_[tunable::allow_client_db_attach] != 0)
    return "clients may attach it again: AllowClientDBAttach is not 0";
  if (!d.open || d.detaching) return d.name + " is being attached or detached";
  return {};
}

void node::db_detach(const control_request& r) {
  const auto d = databases_.find(one_db(r.data).value_or(db_id{0}));
  if (d == databases_.end() && !r.client) return r.answer.good();  // for a node that detaches it everywhere
  if (d == databases_.end()) return r.answer.fail("unknown database");
  if (const auto why = keeps_attached(d->second); !why.empty()) return r.answer.fail(why);
  const auto id = d->first;
  if (!r.client) {
    detach_here(id, r.answer);
    return;
  }
  // the others first: what they refuse stays here, where the client sees it
  struct round {
    std::size_t left;
    std::string refused;
  };
  auto all = std::make_shared<round>();
  auto others = destinations(pnn::broadcast_connected);
  std::erase(others, env_.self);
  all->left = others.size();
  if (others.empty()) return detach_here(id, r.answer);
  for (pnn n : others)
    call(n, control::db_detach, wire::encode(number(id)), floe::srvid{0}, 0, 0,
         std::chrono::seconds(tunables_[tunable::control_timeout]),
         replier([me = self(), all, n, id, answer = r.answer](control_answer a) {
           if (a.status != 0)
             all->refused += fmt::format("{}node {} keeps it: {}", all->refused.empty() ? "" : "; ",
                                         number(n), a.text.empty() ? "refused" : a.text);
           if (--all->left > 0) return;
           if (!all->refused.empty()) return answer.fail(all->refused);
           me.tell(detach_now{id, answer});
         }));
}

void node::on(detach_now& m) {
  const auto d = databases_.find(m.id);
  if (d == databases_.end()) return m.answer.good();
  if (const auto why = keeps_attached(d->second); !why.empty()) return m.answer.fail(why);
  detach_here(m.id, m.answer);
}

void node::detach_here(db_id id, const replier& answer) {
  auto& d = databases_.at(id);
  d.detaching = true;
  d.open = false;
  d.attaching.push_back(answer);  // answered when the file is closed
  note("detach", d.name, id);
  d.to.tell(db_stop{.remove = true});
}

void node::on(database_closed& m) {
  const auto d = databases_.find(m.id);
  if (d == databases_.end()) return;
  const auto waiting = std::exchange(d->second.attaching, {});
  databases_.erase(d);
  std::erase(attach_order_, m.id);
  for (const auto& w : waiting) w.good();
}

// --- frozen by clients
// -------------------------------------------------------------------------------------------

/// Tools freeze databases to replace their content. One that ends in the middle cannot thaw them
/// any more.
void node::remember_freeze(std::uint64_t client, pnn to, const req_control& r) {
  if (r.opcode != control::db_freeze && r.opcode != control::db_thaw) return;
  const auto id = one_db(r.data);
  if (!id) return;
  auto& frozen = clients_.at(client).frozen;
  if (r.opcode == control::db_freeze)
    frozen.emplace(to, *id);
  else
    frozen.erase({to, *id});
}

void node::thaw_for(const client_entry& gone) {
  if (gone.frozen.empty() || (view_->own_flags() & node_flag::inactive)) return;
  const auto d = databases_.find(gone.frozen.begin()->second);
  set_mode(recovery_mode::active,
           fmt::format("client {} (pid {}) has left {} frozen", gone.ref.id, gone.ref.pid,
                       d == databases_.end() ? "a database" : d->second.name));
}

}  // namespace floe
