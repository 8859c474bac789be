/// Opening databases, and what happens to those whose file is damaged: it is set aside, an empty
/// one takes its place and is marked until a recovery brings the content from a node whose copy is
/// whole. Samba's daemon means to do the same (ctdb/server/ctdb_ltdb_server.c) but does not start.
#include <fmt/format.h>

#include "actors/database/database.hpp"
#include "actors/node/node.hpp"
#include "storage/health.hpp"

namespace floe {

void node::on(database_checked& m) {
  if (databases_.contains(m.id)) open_database(m.id, m.verdict());
}

/// What the new database is to be marked with.
std::string node::set_file_aside(const std::string& name, const std::string& file,
                                 const std::string& finding) {
  const std::chrono::system_clock::time_point now{std::chrono::microseconds(env_.loop.wall_us())};
  const auto aside = set_aside(file, now);
  if (!aside) {
    env_.log.error(
        fmt::format("file-not-set-aside db={} file={} why=\"{}\"", name, file, aside.error().text));
    return fmt::format("the file is damaged ({}) and in the way: {}", finding, aside.error().text);
  }
  env_.log.error(
      fmt::format("file-set-aside db={} as={} why=\"{}\"", name, aside->string(), finding));
  return fmt::format("the file was damaged ({}) and is kept as {}", finding,
                     aside->filename().string());
}

void node::open_database(db_id id, std::string damage) {
  auto& d = databases_.at(id);
  d.to = env_.actors.spawn<database>(
      "database", env_,
      database_config{.id = id,
                      .name = d.name,
                      .kind = d.kind,
                      .file = d.path,
                      .damage = std::move(damage),
                      .push_buffer_size = tunables_[tunable::rec_buffer_size_limit],
                      .update_patience = std::chrono::seconds(tunables_[tunable::control_timeout])},
      view_, self());
}

/// One of the databases that were there at the start is open, or cannot be opened, which keeps
/// nobody from starting.
void node::started_with(db_id id) {
  if (starting_.erase(id) > 0 && starting_.empty()) go_on_starting();
}

void node::on(database_health& m) {
  const auto d = databases_.find(m.id);
  if (d == databases_.end() || d->second.damage == m.damage) return;
  note("health", m.damage.empty() ? "healed" : fmt::format("damaged: {}", m.damage), m.id);
  if (m.damage.empty())
    env_.log.notice(
        fmt::format("database-healed db={} was=\"{}\"", d->second.name, d->second.damage));
  else
    env_.log.error(fmt::format("database-damaged db={} what=\"{}\"", d->second.name, m.damage));
  d->second.damage = std::move(m.damage);
}

/// Why clients must not be shown its content; empty if they may.
std::string node::unfit(const database_entry& d) const {
  if (!d.dispute.empty())
    return fmt::format("{} is out of use: its nodes disagree ({})", d.name, d.dispute);
  if (d.damage.empty()) return {};
  return fmt::format(
      "{} is not whole: {}; a recovery with a node that has a whole copy heals it, and so does "
      "restoring "
      "a backup",
      d.name, d.damage);
}

}  // namespace floe
