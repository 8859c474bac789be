#include "access.hpp"
#include "actors/table/table_user.hpp"
#include "connection.hpp"

namespace floe::bench {
namespace {

constexpr std::uint32_t db_attach = 18, set_db_readonly = 129;
constexpr std::uint32_t record_lock = 0x464C0001, record_store = 0x464C0003,
                        record_delete = 0x464C0004, record_unlock = 0x464C0005;
constexpr std::uint32_t unlock_after = 1;  // flag of record_store
constexpr std::uint32_t lock_timeout_ms = 120'000;
constexpr table_patience patience{std::uint64_t{lock_timeout_ms} * 1000};
constexpr std::size_t header_bytes = 24;

constexpr std::uint32_t record_read = 0x464C0002, settled = 2;
constexpr std::uint32_t record_table = 0x464C0007;
constexpr std::uint32_t lock_in_table = 1 | 1u << 16,
                        take_over = 2 | 1u << 16;  // flags of record_lock: as thread 1
constexpr std::int32_t in_table = -6;

/// All by the socket.
class floe_access : public access {
 public:
  floe_access(const std::string& socket_path, const std::string& database) : node_(socket_path) {
    bytes name;
    put(name, database);
    name.push_back(std::byte{0});
    db_id_ = get<std::uint32_t>(node_.must(db_attach, name), 0);
  }

  void lock(std::string_view key) override {
    if (const auto status = lock_by_socket(key, 0); status < 0)
      give_up("no lock: " + std::to_string(status));
  }

  std::string data() override { return granted_; }

  void store_and_unlock(std::string_view data) override {
    bytes request;
    put(request, lock_id_);
    put(request, unlock_after);
    put(request, static_cast<std::uint32_t>(data.size()));
    put(request, data);
    node_.must(record_store, request);
  }

  void erase_and_unlock() override {
    bytes request;
    put(request, lock_id_);
    put(request, unlock_after);
    node_.must(record_delete, request);
  }

  void unlock() override {
    bytes request;
    put(request, lock_id_);
    node_.must(record_unlock, request);
  }

  void read(std::string_view key) override { read_by_socket(key, settled); }
  void fetch(std::string_view key) override { read_by_socket(key, 0); }

  void allow_copies() override {
    bytes request;
    put(request, db_id_);
    node_.must(set_db_readonly, request);
  }

 protected:
  void read_by_socket(std::string_view key, std::uint32_t flags) {
    bytes request;
    put(request, db_id_);
    put(request, flags);
    put(request, static_cast<std::uint32_t>(key.size()));
    put(request, key);
    node_.must(record_read, request);
  }

  std::int32_t lock_by_socket(std::string_view key, std::uint32_t flags) {
    bytes request;
    put(request, db_id_);
    put(request, flags);
    put(request, lock_timeout_ms);
    put(request, static_cast<std::uint32_t>(key.size()));
    put(request, key);
    // the record's header, u32 length, data, u64 id of the lock
    const auto [status, answer] = node_.control(record_lock, request);
    if (status < 0) return status;
    const auto size = get<std::uint32_t>(answer, header_bytes);
    lock_id_ = get<std::uint64_t>(answer, header_bytes + 4 + size);
    const char* begin = static_cast<const char*>(static_cast<const void*>(answer.data()));
    granted_.assign(begin + header_bytes + 4, size);
    return status;
  }

  connection node_;
  std::uint32_t db_id_ = 0;
  std::uint64_t lock_id_ = 0;
  std::string granted_;  ///< what the record held when the node granted its lock
};

/// Records of the table in shared memory, the rest by the socket: what floe's client library does.
class floe_table_access final : public floe_access {
 public:
  floe_table_access(const std::string& socket_path, const std::string& database)
      : floe_access(socket_path, database) {
    bytes request;
    put(request, db_id_);
    put(request, std::uint32_t{0});
    const auto answer = node_.must(record_table, request);
    const auto fds = node_.take_descriptors();
    if (fds.size() != 2) give_up("no record table came");
    auto memory = table_memory::map(fds[0]);
    if (!memory) give_up(memory.error());
    table_ =
        std::make_unique<table_user>(std::move(*memory), get<std::uint32_t>(answer, 0), fds[1]);
  }

  void lock(std::string_view key) override {
    key_.assign(key);
    for (asked_ = false;; asked_ = true) {
      lock_id_ = 0;
      const auto a = table_->lock(key, 1, patience, place_);
      if (a == table_answer::good) return see();
      if (a != table_answer::not_here) give_up("no lock in the table");
      const auto status = lock_by_socket(key, lock_in_table);
      if (status == in_table) continue;
      if (status < 0) give_up("no lock: " + std::to_string(status));
      asked_ = true;
      if (lock_id_ != 0) return;
      const auto p = find(table_->memory(), key, table_hash(key));
      if (!p) give_up("granted in the table, and not there");
      place_ = *p;
      return see();
    }
  }

  std::string data() override {
    return lock_id_ != 0 ? granted_ : data_.substr(0, content_.length);
  }

  void store_and_unlock(std::string_view data) override {
    if (lock_id_ != 0) return floe_access::store_and_unlock(data);
    const auto a = table_->store(place_, 1, data);
    if (a == table_answer::good) return unlock();
    if (a != table_answer::to_node || lock_by_socket(key_, take_over) < 0)
      give_up("cannot store in the table");
    floe_access::store_and_unlock(data);
  }

  void erase_and_unlock() override {
    if (lock_id_ != 0) return floe_access::erase_and_unlock();
    if (table_->store(place_, 1, {}) != table_answer::good) give_up("cannot delete in the table");
    unlock();
  }

  void read(std::string_view key) override {
    if (table_->read(key, 0, read_wait::for_holder, patience, content_, data_) !=
        table_answer::good)
      floe_access::read(key);
  }
  void fetch(std::string_view key) override {
    if (table_->read(key, 0, read_wait::for_holder, patience, content_, data_) !=
        table_answer::good)
      floe_access::fetch(key);
  }

  void unlock() override {
    if (lock_id_ != 0) return floe_access::unlock();
    if (table_->unlock(place_, 1) != table_answer::good) give_up("the lock in the table was lost");
  }

 private:
  void see() { table_->read_locked(place_, content_, data_); }
  std::unique_ptr<table_user> table_;
  table_place place_;
  table_content content_;
  std::string key_, data_;
};

}  // namespace

std::unique_ptr<access> open_floe(const std::string& socket_path, const std::string& database) {
  return std::make_unique<floe_table_access>(socket_path, database);
}
std::unique_ptr<access> open_floe_socket(const std::string& socket_path,
                                         const std::string& database) {
  return std::make_unique<floe_access>(socket_path, database);
}

}  // namespace floe::bench
