#include "actors/node/registry/attach.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/health/file_checks.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_limits.hpp"
#include "protocol/types/basic.hpp"
#include "storage/health.hpp"
#include "storage/room.hpp"

namespace floe {
namespace {

/// Of a file, less ".4294967295" and "-lock".
constexpr std::size_t longest_in_a_file = 255 - 11 - 5;
/// ctdbd's file is the name and ".0" at least.
constexpr std::size_t longest_name = 253;
/// What ctdbd makes of a name with slashes in it is a path.
constexpr std::size_t longest_path = 4095;

control attach_control(db_kind k) {
  if (k == db_kind::persistent) return control::db_attach_persistent;
  return k == db_kind::replicated ? control::db_attach_replicated : control::db_attach;
}
std::uint8_t flags_of(db_kind k) {
  if (k == db_kind::persistent) return db_flag::persistent;
  return k == db_kind::replicated ? db_flag::replicated : 0;
}

/// The name becomes a file name, with the node's number behind it: nothing in it may lead elsewhere.
bool names_a_file(byte_view name) {
  return !name.empty() && name.size() <= longest_name && name.find('/') == byte_view::npos;
}

/// A client has to choose a name that is one of a file. What other nodes have is taken, whatever ctdbd let its clients call it:
/// with a name that one kind of node takes and the other refuses no recovery of both would end.
bool acceptable(byte_view name, bool is_new_here) {
  return names_a_file(name) || (!is_new_here && name.size() <= longest_path);
}

/// "~0a1b2c3d": stands for a name that is none of a file, or too long for one.
bool is_stand_in(std::string_view name) {
  return name.size() == 9 && name[0] == '~' &&
         name.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

std::string file_of(const std::string& name, db_id id) {
  if (names_a_file(name) && name.size() <= longest_in_a_file && !is_stand_in(name)) return name;
  return fmt::format("~{:08x}", number(id));
}

/// A third of the descriptors that the process may have serves them: data, lock file, one more while it is compacted.
/// Half of all is for clients, the rest for other nodes.
std::size_t most_databases() {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) != 0) return 100;
  return std::max<std::size_t>(16, l.rlim_cur / 9);
}

std::string folder_of(const std::string& file) {
  return std::filesystem::path(file).parent_path().string();
}

}  // namespace

db_kind attaching::kind_of(control attach) {
  if (attach == control::db_attach_persistent) return db_kind::persistent;
  return attach == control::db_attach_replicated ? db_kind::replicated : db_kind::volatile_db;
}

void attaching::attach_as(db_kind kind, byte_view text, const caller& by, const db_answer& to) {
  const std::string name(text);
  const db_id id = db_id_of(name);
  if (!acceptable(text, by.client && !databases_.find(id)))
    return to.fail("not a name for a database: it is that of a file, without a slash");
  const auto& view = port_.view();
  const bool during_recovery = by.flags & control_flag::attach_in_recovery;
  if (by.client) {
    if (port_.tunables[tunable::allow_client_db_attach] == 0)
      return to.fail("AllowClientDBAttach is 0");
    if (view.own_flags() & node_flag::inactive & ~node_flag::catching_up)
      return to.fail("node is inactive");
    const bool busy = view.mode == recovery_mode::active || view.run < runstate::startup;
    if (busy && !during_recovery) {
      const auto patience = std::chrono::seconds(port_.tunables[tunable::deferred_attach_timeout]);
      deferred_.push_back({kind, name, by, to, port_.env.loop.now() + patience});
      return;
    }
  }
  if (during_recovery && view.mode != recovery_mode::active)
    return to.fail("no recovery is going on");
  auto* d = databases_.find(id);
  if (!d && by.client && databases_.all().size() >= most_databases()) {
    ++port_.limits.refused.databases;
    return to.fail(
        fmt::format("{} databases are attached, which is the limit: each needs three descriptors",
                    databases_.all().size()));
  }
  if (!d) {
    create(name, kind, true, to.plain());
    databases_.all().at(id).for_recovery = during_recovery;
    return;
  }
  if (d->name != name) return to.fail(fmt::format("{} has the same id as {}", name, d->name));
  // attaching as volatile asks for no kind: it finds whatever is there (as ctdbd)
  if (kind != db_kind::volatile_db && kind != d->kind)
    return to.fail(name + " exists as another kind");
  if (d->detaching) return to.fail(name + " is being detached: try again");
  if (d->open) return to.good(id);
  d->for_recovery |= during_recovery;
  d->attaching.push_back(to.plain());
}

void attaching::create(const std::string& name, db_kind kind, bool tell_others, replier to) {
  const db_id id = db_id_of(name);
  const auto& view = port_.view();
  const auto& dir =
      kind == db_kind::persistent ? port_.config.persistent_dir : port_.config.volatile_dir;
  database_entry d{.name = name,
                   .path = fmt::format("{}/{}.{}", dir, file_of(name, id), number(port_.env.self)),
                   .kind = kind,
                   .flags = flags_of(kind),
                   .tell_others = tell_others};
  // To claim the generation of a recovery that goes on would outdate the others.
  d.fresh = view.mode == recovery_mode::active;
  if (!d.fresh) d.gen = view.gen;
  d.members = view.members;
  d.attaching.push_back(std::move(to));
  const auto file = d.path;
  databases_.all().emplace(id, std::move(d));
  std::error_code error;
  auto* checks = port_.env.checks;
  if (kind != db_kind::persistent || !checks || !std::filesystem::exists(file, error))
    return open(id, {});
  checks->check(file, [to_node = port_.self, this, id, name, file](file_verdict v) {
    to_node.tell(database_checked{id, [this, name, file, v = std::move(v)] {
                                    return !v || v->sound ? std::string()
                                                          : set_file_aside(name, file, v->finding);
                                  }});
  });
}

void attaching::checked(const database_checked& m) {
  if (databases_.find(m.id)) open(m.id, m.verdict());
}

/// What the new database is to be marked with.
std::string attaching::set_file_aside(const std::string& name, const std::string& file,
                                      const std::string& finding) {
  const std::chrono::system_clock::time_point now{
      std::chrono::microseconds(port_.env.loop.wall_us())};
  auto& log = port_.env.log;
  const auto aside = set_aside(file, now);
  if (!aside) {
    log.tell(event::file_not_set_aside{.db = name, .file = file, .why = aside.error().text});
    return fmt::format("the file is damaged ({}) and in the way: {}", finding, aside.error().text);
  }
  log.tell(event::file_set_aside{.db = name, .kept_as = aside->string(), .why = finding});
  return fmt::format("the file was damaged ({}) and is kept as {}", finding,
                     aside->filename().string());
}

void attaching::open(db_id id, std::string damage) {
  auto& d = databases_.all().at(id);
  const auto& t = port_.tunables;
  d.to = port_.env.actors.spawn<database>(
      "database", port_.env,
      database_config{.id = id,
                      .name = d.name,
                      .kind = d.kind,
                      .file = d.path,
                      .damage = std::move(damage),
                      .push_buffer_size = std::min<std::size_t>(t[tunable::rec_buffer_size_limit],
                                                                rec_buffer_size_max),
                      .update_patience = port_.control_limit(),
                      .witness = port_.config.witness,
                      .pulse = port_.pulse},
      port_.shared_view(), port_.self);
}

void attaching::opened(const database_opened& m) {
  auto* d = databases_.find(m.id);
  if (!d) return;
  const auto waiting = std::exchange(d->attaching, {});
  if (!m.error.empty()) {
    const auto held = std::exchange(d->until_open, {});
    // What a recovery brings cannot be stored here: the others go on with it. (A client's database is refused to the client; while
    // no recovery has begun the others have nothing of what is here.)
    const bool brought = d->for_recovery || (d->fresh && mutated(mutant::leaves_for_a_client));
    if (brought && !starting_.contains(m.id))
      port_.self.tell(
          ban_self{.why = fmt::format("cannot open {} in a recovery: {}", d->name, m.error),
                   .cause = ban_cause::cannot_store,
                   .of = m.id,
                   .looks_for_room = !has_room_for_new_store(folder_of(d->path), port_.env.disk)});
    databases_.erase(m.id);
    for (const auto& w : waiting) w.fail(m.error);
    for (const auto& h : held) databases_.dispatch_again(m.id, h);
    return started_with(m.id);
  }
  d->open = true;
  d->damage = m.damage;
  if (!d->damage.empty()) port_.note(event::database_damaged{.what = d->damage}, m.id);
  databases_.opened(m.id);
  d->to.tell(db_view{port_.shared_view()});  // it may have changed since the actor was made
  d->to.tell(databases_.holder_rules());
  d->to.tell(databases_.settings());
  d->to.tell(databases_.table_rules());
  registry::tell_properties(*d, m.id);
  for (const auto& w : waiting) db_answer(w).good(m.id);
  for (auto& held : std::exchange(d->until_open, {})) d->to.tell(std::move(held));
  if (starting_.contains(m.id)) return started_with(m.id);
  if (!d->tell_others) return;
  const bytes name = encode_request<control::db_attach>({d->name});
  for (pnn p : port_.destinations(pnn::broadcast_connected))
    if (p != port_.env.self) calls_.tell(p, {.opcode = attach_control(d->kind), .data = name});
}

void attaching::from_disk(std::function<void()> all_there) {
  all_there_ = std::move(all_there);
  const auto suffix = fmt::format(".{}", number(port_.env.self));
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(port_.config.persistent_dir, error)) {
    auto name = entry.path().filename().string();
    if (!name.ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    // who has a stand-in is known when somebody asks for it by its name
    if (names_a_file(name) && !is_stand_in(name)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  for (const auto& n : names) starting_.insert(db_id_of(n));
  for (const auto& n : names) create(n, db_kind::persistent, false, {});
  if (starting_.empty()) all_there_();
}

void attaching::started_with(db_id id) {
  if (starting_.erase(id) > 0 && starting_.empty()) all_there_();
}

void attaching::retry_deferred() {
  if (deferred_.empty()) return;
  const auto& view = port_.view();
  const bool ready = view.mode == recovery_mode::normal && view.run >= runstate::startup;
  auto waiting = std::exchange(deferred_, {});
  for (auto& d : waiting) {
    if (ready)
      attach_as(d.kind, d.name, d.by, d.to);
    else if (port_.env.loop.now() >= d.until)
      d.to.fail(view.own_flags() & node_flag::catching_up
                    ? "this node is still being filled before it joins"
                    : "recovery did not end in time");
    else
      deferred_.push_back(std::move(d));
  }
}

void attaching::forget_deferred_of(std::uint64_t client) {
  std::erase_if(deferred_, [&](const deferred& d) { return d.by.client->id == client; });
}

}  // namespace floe
