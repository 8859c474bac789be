/// The public client: the loop, the connection, databases and records.
#include <floe/async.hpp>
#include <utility>

#include "actors/async/held.hpp"
#include "actors/client/detach.hpp"
#include "actors/client/traverse.hpp"

namespace floe::async {
namespace {

using inside::about;
using inside::core;
using inside::patience_of;

floe::read_from from(read_from f) {
  switch (f) {
    case read_from::owner: return floe::read_from::owner;
    case read_from::settled: return floe::read_from::settled;
    case read_from::copy: return floe::read_from::this_node;
  }
  throw std::invalid_argument("no way to read");
}

db_kind kind_of(kind k) {
  switch (k) {
    case kind::any: return db_kind::volatile_db;
    case kind::persistent: return db_kind::persistent;
    case kind::replicated: return db_kind::replicated;
  }
  throw std::invalid_argument("no kind of database");
}

/// What a program's visitor throws ends the walk and comes out of the loop.
record_visitor visitor(const std::shared_ptr<core>& c,
                       std::function<bool(const shown_record&)> each) {
  return [weak = std::weak_ptr(c), each = std::move(each)](const record_view& r) {
    const auto still = weak.lock();
    if (!still || !each) return still != nullptr;
    bool go_on = false;
    still->tell([&] {
      go_on = each({.key = r.key, .data = r.data, .header = inside::as_public(r.header)});
    });
    return go_on;
  };
}

std::uint64_t count_of(const traverse_result& r) { return r.records; }

}  // namespace

client::client() : core_(std::make_shared<core>()) {}
client::client(client&&) noexcept = default;
client& client::operator=(client&& other) noexcept {
  client old(std::move(other));
  std::swap(core_, old.core_);
  return *this;
}
client::~client() {
  if (core_) core_->end();
}

int client::descriptor() const noexcept { return core_->loop.descriptor(); }
std::size_t client::process() { return std::shared_ptr(core_)->process(); }
void client::run() { std::shared_ptr(core_)->serve(time_point::max()); }
bool client::run_for(limit t) {
  const auto c = core_;
  return c->serve(c->loop.now() + patience_of(t));
}
bool client::run_until(const std::function<bool()>& over, limit t) {
  const auto c = core_;
  return c->serve(over, c->loop.now() + patience_of(t));
}
void client::stop() { core_->stop(); }

void client::post(std::function<void()> f) {
  core_->loop.post_from_outside([weak = std::weak_ptr(core_), f = std::move(f)] {
    if (const auto c = weak.lock()) c->tell(f);
  });
}
void client::later(limit t, std::function<void()> f) {
  core_->loop.after(patience_of(t), [weak = std::weak_ptr(core_), f = std::move(f)] {
    if (const auto c = weak.lock()) c->tell(f);
  });
  core_->touch();
}

void client::connect(options o, events e) { core_->connect(std::move(o), std::move(e)); }
void client::close() { core_->close(); }
bool client::connected() const noexcept { return core_->is_connected(); }
std::uint32_t client::pnn() const noexcept { return number(core_->wire.self()); }
std::size_t client::outstanding() const noexcept { return core_->wire.outstanding(); }

// --- databases ---------------------------------------------------------------------------------------------------

void client::attach(std::string_view name, kind k, limit t, done<std::uint32_t> d) {
  if (name.empty()) throw std::invalid_argument("a database has a name");
  const auto keep = [weak = std::weak_ptr(core_), name = std::string(name), k](const db_id& db) {
    if (const auto c = weak.lock()) c->attached[name] = {kind_of(k), number(db)};
    return number(db);
  };
  floe::attach(core_->wire, name, kind_of(k), patience_of(t),
               core_->answer<std::uint32_t, db_id>(std::move(d), about::anything, keep));
  core_->touch();
}

void client::find(std::string_view name_or_id, limit t, done<std::uint32_t> d) {
  floe::find_database(
      core_->wire, name_or_id, patience_of(t),
      core_->answer<std::uint32_t, db_id>(std::move(d), about::records,
                                          [](const db_id& db) { return number(db); }));
  core_->touch();
}

void client::detach(std::uint32_t db, limit t, done<void> d) {
  auto tell = core_->answer(std::move(d));
  floe::detach(core_->wire, db_id{db}, patience_of(t),
               [weak = std::weak_ptr(core_), db, tell](const floe::result<void>& r) {
                 if (const auto c = weak.lock(); c && r)
                   std::erase_if(c->attached, [&](const auto& a) { return a.second.second == db; });
                 tell(r);
               });
  core_->touch();
}

void client::allow_copies(std::uint32_t db, limit t, done<void> d) {
  floe::allow_copies(core_->wire, db_id{db}, patience_of(t),
                     core_->answer(std::move(d), about::records));
  core_->touch();
}

// --- records -----------------------------------------------------------------------------------------------------

void client::lock(std::uint32_t db, std::string_view key, limit t, done<record_lock> d) {
  inside::check_key(key);
  constexpr duration at_once = std::chrono::milliseconds(1);
  const auto hold = [weak = std::weak_ptr(core_)](const locked_record& r) {
    const auto c = weak.lock();
    return record_lock(std::make_unique<inside::held_lock>(
        inside::held_lock{.of = weak,
                          .life = c ? c->life : 0,
                          .id = r.lock_id,
                          .data = r.data,
                          .header = inside::as_public(r.header)}));
  };
  lock_record(core_->wire, db_id{db}, key, std::max(patience_of(t), at_once),
              core_->answer<record_lock, locked_record>(std::move(d), about::records, hold));
  core_->touch();
}

void client::read(std::uint32_t db, std::string_view key, read_from f, limit t, done<record> d) {
  inside::check_key(key);
  const auto show = [](const read_record_answer& r) {
    return record{.exists = r.found && !r.data.empty(),
                  .data = r.data,
                  .header = inside::as_public(r.header)};
  };
  read_record(core_->wire, db_id{db}, key, from(f), patience_of(t),
              core_->answer<record, read_record_answer>(std::move(d), about::records, show));
  core_->touch();
}

void client::traverse(std::uint32_t db, bool with_empty, limit t,
                      std::function<bool(const shown_record&)> each, done<std::uint64_t> d) {
  traverse_while(
      core_->wire, db_id{db}, with_empty, patience_of(t), visitor(core_, std::move(each)),
      core_->answer<std::uint64_t, traverse_result>(std::move(d), about::anything, &count_of));
  core_->touch();
}

void client::traverse_here(std::uint32_t db, limit t, std::function<bool(const shown_record&)> each,
                           done<std::uint64_t> d) {
  traverse_here_while(
      core_->wire, db_id{db}, patience_of(t), visitor(core_, std::move(each)),
      core_->answer<std::uint64_t, traverse_result>(std::move(d), about::records, &count_of));
  core_->touch();
}

}  // namespace floe::async
