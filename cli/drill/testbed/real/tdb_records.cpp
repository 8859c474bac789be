#include "cli/drill/testbed/real/tdb_records.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/database.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

constexpr duration longest_pause = 10ms;
constexpr duration file_questions = 10s;

struct stored {
  record_header header;
  std::string data;
};

std::optional<stored> fetch_record(tdb_file& f, const std::string& key) {
  const auto value = f.fetch(key);
  if (!value || value->size() < record_header::wire_size) return std::nullopt;
  const auto header =
      floe::wire::decode<record_header>(byte_view(*value).substr(0, record_header::wire_size));
  if (!header) return std::nullopt;
  return stored{*header, value->substr(record_header::wire_size)};
}

client_error refused(std::string why) {
  return {client_errc::refused, -1, std::move(why), pnn::current};
}
client_error gone() { return {client_errc::disconnected, 0, "the node has ended", pnn::current}; }

}  // namespace

void tdb_node::close() {
  for (auto& [name, f] : files) {
    f->tdb.reset();
    f->owner.clear();
  }
  files.clear();
}

/// As Samba does, attaches first: a ctdbd that has not been through its first recovery refuses that, and
/// one in a recovery lets it wait. Then the daemon is asked where the file is, and with which flags
/// it has opened it.
void tdb_records::open(const std::string& db, duration patience, opened done) {
  if (const auto i = node_.files.find(db); i != node_.files.end()) return done(i->second);
  const auto id = db_id_of(db);
  client_.control<control::get_dbmap>(pnn::current, {}, patience, [=, this](const auto& map) {
    if (!map) return done(std::unexpected(map.error()));
    const auto known = std::ranges::find(map->value.dbs, id, &dbid_and_flags::db_id);
    if (known == map->value.dbs.end())
      return done(std::unexpected(refused("no such database is attached")));
    const auto kind = known->flags & db_flag::persistent   ? db_kind::persistent
                      : known->flags & db_flag::replicated ? db_kind::replicated
                                                           : db_kind::volatile_db;
    attach(client_, db, kind, patience, [=, this](const result<db_id>& attached) {
      if (!attached) return done(std::unexpected(attached.error()));
      open_attached(db, patience, done);
    });
  });
}

void tdb_records::open_attached(const std::string& db, duration patience, opened done) {
  const auto id = db_id_of(db);
  client_.control<control::getdbpath>(pnn::current, id, patience, [=, this](const auto& path) {
    if (!path) return done(std::unexpected(path.error()));
    const std::string place(path->value.value);
    client_.control<control::db_open_flags>(
        pnn::current, id, patience, [=, this](const auto& flags) {
          if (!flags) return done(std::unexpected(flags.error()));
          auto& mine = node_.files[db];  // another client may have been faster
          if (!mine) {
            auto tdb = open_tdb(place, flags->value);
            if (!tdb) {
              node_.files.erase(db);
              return done(std::unexpected(refused(tdb.error())));
            }
            mine = std::make_shared<tdb_node::file>(std::move(*tdb));
          }
          done(mine);
        });
  });
}

void tdb_records::lock(const std::string& db, const std::string& key, duration patience,
                       when_done<locked_record> done) {
  auto a = std::make_shared<attempt>(attempt{
      .db = db, .key = key, .end = client_.loop().now() + patience, .done = std::move(done)});
  client_.later(duration{0}, [this, a] {
    open(a->db, std::min(a->end - client_.loop().now(), file_questions), [this, a](const auto& f) {
      if (!f) return a->done(std::unexpected(f.error()));
      a->file = *f;
      try_lock(a);
    });
  });
}

void tdb_records::later(std::shared_ptr<attempt> a) {
  a->pause = std::min(a->pause * 3 / 2, longest_pause);
  client_.later(a->pause, [this, a] { try_lock(a); });
}

void tdb_records::try_lock(std::shared_ptr<attempt> a) {
  if (!a->file->tdb) return a->done(std::unexpected(gone()));
  if (client_.loop().now() >= a->end)
    return a->done(std::unexpected(client_error{client_errc::timed_out, record_status_timed_out,
                                                "the chain lock is not free", pnn::current}));
  auto& f = *a->file;
  const auto chain = f.tdb->chain_of(a->key);
  const auto owner = f.owner.find(chain);
  const bool taken = owner != f.owner.end() && owner->second != this;
  if (node_.paused || taken || !f.tdb->try_lock(a->key)) return later(a);
  auto r = fetch_record(*f.tdb, a->key);
  const bool ours = r && r->header.dmaster == client_.self();
  if (!ours || r->header.flags & record_flag::ro_have_delegations) {
    f.tdb->unlock(a->key);
    return fetch(a);
  }
  f.owner[chain] = this;
  const auto id = ++last_;
  held_[id] = {a->file, a->db, a->key, r->header};
  a->done(locked_record{id, r->header, std::move(r->data)});
}

/// The daemon gets the record here, and says when it is.
void tdb_records::fetch(std::shared_ptr<attempt> a) {
  const req_call call{.flags = call_flag::immediate_migration,
                      .db = db_id_of(a->db),
                      .callid = call_id::null,
                      .key = a->key,
                      .data = {}};
  client_.send_call(call, a->end - client_.loop().now(), [this, a](const result<client_reply>& r) {
    if (!r) return a->done(std::unexpected(r.error()));
    try_lock(a);
  });
}

void tdb_records::read(const std::string& db, const std::string& key, read_from from,
                       duration patience, when_done<read_record_answer> done) {
  if (from == read_from::this_node) {
    client_.later(duration{0}, [=, this, done = std::move(done)] {
      open(db, patience, [key, done](const auto& f) {
        if (!f) return done(std::unexpected(f.error()));
        if (!(*f)->tdb) return done(std::unexpected(gone()));
        const auto r = fetch_record(*(*f)->tdb, key);
        done(r ? read_record_answer{true, r->header, r->data} : read_record_answer{});
      });
    });
    return;
  }
  lock(db, key, patience, [this, done = std::move(done)](const result<locked_record>& r) {
    if (!r) return done(std::unexpected(r.error()));
    let_go(r->lock_id);
    done(read_record_answer{!r->data.empty(), r->header, r->data});
  });
}

/// Samba leaves the header as it is.
bool tdb_records::write(std::uint64_t id, const std::string& data, client_error& why) {
  const auto h = held_.find(id);
  if (h == held_.end() || !h->second.file->tdb) {
    why = h == held_.end() ? client_error{client_errc::refused, record_status_not_held,
                                          "the lock is not held", pnn::current}
                           : gone();
    return false;
  }
  if (h->second.file->tdb->store(h->second.key, floe::wire::encode(h->second.header) + data))
    return true;
  why = {client_errc::refused, record_status_storage, "the record cannot be stored", pnn::current};
  return false;
}

void tdb_records::answer(when_done<void> done, result<void> r) {
  client_.later(duration{0}, [done = std::move(done), r = std::move(r)] { done(r); });
}

void tdb_records::store(std::uint64_t id, const std::string& data, after_write then, duration,
                        when_done<void> done) {
  client_error why;
  const bool good = write(id, data, why);
  if (good && then == after_write::unlock) let_go(id);
  answer(std::move(done), good ? result<void>{} : std::unexpected(why));
}

/// An empty record, which the daemon is told to vacuum.
void tdb_records::erase(std::uint64_t id, after_write then, duration, when_done<void> done) {
  client_error why;
  const bool good = write(id, {}, why);
  if (good) {
    const auto& h = held_.at(id);
    client_.send_control(pnn::current, control::schedule_for_deletion,
                         encode_request<control::schedule_for_deletion>(
                             {.db_id = db_id_of(h.db), .header = h.header, .key = h.key}),
                         file_questions, [](const auto&) {});
    if (then == after_write::unlock) let_go(id);
  }
  answer(std::move(done), good ? result<void>{} : std::unexpected(why));
}

void tdb_records::unlock(std::uint64_t id, duration, when_done<void> done) {
  const bool good = held_.contains(id);
  let_go(id);
  answer(std::move(done),
         good ? result<void>{}
              : std::unexpected(client_error{client_errc::refused, record_status_not_held,
                                             "the lock is not held", pnn::current}));
}

void tdb_records::let_go(std::uint64_t id) {
  auto h = held_.extract(id);
  if (!h || !h.mapped().file->tdb) return;
  auto& f = *h.mapped().file;
  const auto chain = f.tdb->chain_of(h.mapped().key);
  f.tdb->unlock(h.mapped().key);
  for (const auto& [other, l] : held_)
    if (l.file == h.mapped().file && f.tdb->chain_of(l.key) == chain) return;
  f.owner.erase(chain);
}

void tdb_records::disconnected() {
  while (!held_.empty()) let_go(held_.begin()->first);
}

}  // namespace floe::cli::drill
