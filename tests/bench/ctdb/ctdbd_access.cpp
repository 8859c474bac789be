#include <fcntl.h>

#include <algorithm>
#include <cstdlib>

extern "C" {
#include <tdb.h>
}

#include "access.hpp"
#include "connection.hpp"

namespace floe::bench {
namespace {

constexpr std::uint32_t getdbpath = 4, db_attach = 18, get_pnn = 35, db_open_flags = 149;
// The header in front of each record: rsn u64, dmaster u32, reserved u32, flags u32, 4 bytes of
// nothing.
constexpr std::size_t header_bytes = 24, dmaster_offset = 8, flags_offset = 16;
constexpr std::uint32_t have_delegations = 0x01000000, have_readonly = 0x02000000;
constexpr std::uint32_t set_db_readonly = 129, schedule_for_deletion = 128;

TDB_DATA tdb_bytes(bytes& from) {
  return {static_cast<unsigned char*>(static_cast<void*>(from.data())), from.size()};
}

class ctdbd_access final : public access {
 public:
  ctdbd_access(const std::string& socket_path, const std::string& database) : daemon_(socket_path) {
    pnn_ = static_cast<std::uint32_t>(daemon_.control(get_pnn, {}).status);
    bytes name;
    put(name, database);
    name.push_back(std::byte{0});
    db_id_ = get<std::uint32_t>(daemon_.must(db_attach, name), 0);

    bytes id;
    put(id, db_id_);
    const auto path = daemon_.must(getdbpath, id);
    const auto flags = get<std::int32_t>(daemon_.must(db_open_flags, id), 0);
    const char* file = static_cast<const char*>(static_cast<const void*>(path.data()));
    file_ = tdb_open_ex(file, 0, flags, O_RDWR, 0600, nullptr, tdb_jenkins_hash);
    if (file_ == nullptr) give_up(std::string{"cannot open "} + file);
  }
  ~ctdbd_access() override { tdb_close(file_); }

  void lock(std::string_view key) override {
    key_.clear();
    put(key_, key);
    for (asked_ = false;; asked_ = true) {
      if (tdb_chainlock(file_, tdb_bytes(key_)) != 0) give_up("chain lock failed");
      if (lives_here() && !(flags() & have_delegations)) return;
      tdb_chainunlock(file_, tdb_bytes(key_));
      daemon_.migrate(db_id_, key);
    }
  }

  std::string data() override {
    const char* begin = static_cast<const char*>(static_cast<const void*>(record_.data()));
    return {begin + std::min(header_bytes, record_.size()), begin + record_.size()};
  }

  void store_and_unlock(std::string_view data) override {
    record_.resize(header_bytes);
    put(record_, data);
    if (tdb_store(file_, tdb_bytes(key_), tdb_bytes(record_), TDB_REPLACE) != 0)
      give_up("store failed");
    unlock();
  }

  /// An empty record, which the daemon is told of, as smbd does; smbd does not wait for the answer.
  void erase_and_unlock() override {
    record_.resize(header_bytes);
    if (tdb_store(file_, tdb_bytes(key_), tdb_bytes(record_), TDB_REPLACE) != 0)
      give_up("delete failed");
    bytes request;
    put(request, db_id_);
    request.resize(8);  // the header is aligned
    request.insert(request.end(), record_.begin(), record_.end());
    put(request, static_cast<std::uint32_t>(key_.size()));
    request.insert(request.end(), key_.begin(), key_.end());
    unlock();
    daemon_.must(schedule_for_deletion, request);
  }

  void read(std::string_view key) override {
    key_.clear();
    put(key_, key);
    (void)lives_here();
  }
  /// As smbd: what is here, if it may be read from; else a copy comes, or the record where there are none.
  void fetch(std::string_view key) override {
    key_.clear();
    put(key_, key);
    while (!lives_here() && !(flags() & have_readonly)) daemon_.migrate(db_id_, key, true);
  }
  void allow_copies() override {
    bytes id;
    put(id, db_id_);
    daemon_.must(set_db_readonly, id);
  }
  void unlock() override { tdb_chainunlock(file_, tdb_bytes(key_)); }

 private:
  /// Reads the record; true if its header names this node as dmaster.
  bool lives_here() {
    const auto parse = [](TDB_DATA, TDB_DATA found, void* self) {
      auto& record = static_cast<ctdbd_access*>(self)->record_;
      record.assign(found.dsize, std::byte{0});
      std::memcpy(record.data(), found.dptr, found.dsize);
      return 0;
    };
    record_.clear();
    if (tdb_parse_record(file_, tdb_bytes(key_), parse, this) != 0) return false;
    return record_.size() >= header_bytes && get<std::uint32_t>(record_, dmaster_offset) == pnn_;
  }

  /// Of the record that was read last.
  std::uint32_t flags() const {
    return record_.size() >= header_bytes ? get<std::uint32_t>(record_, flags_offset) : 0;
  }

  connection daemon_;
  std::uint32_t pnn_ = 0;
  std::uint32_t db_id_ = 0;
  TDB_CONTEXT* file_ = nullptr;
  bytes key_;
  bytes record_;  ///< header and data of the locked record
};

}  // namespace

std::unique_ptr<access> open_ctdbd(const std::string& socket_path, const std::string& database) {
  return std::make_unique<ctdbd_access>(socket_path, database);
}

}  // namespace floe::bench
