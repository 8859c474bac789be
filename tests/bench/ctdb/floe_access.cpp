#include "access.hpp"
#include "connection.hpp"

namespace floe::bench {
namespace {

constexpr std::uint32_t db_attach = 18;
constexpr std::uint32_t record_lock = 0x464C0001, record_store = 0x464C0003,
                        record_unlock = 0x464C0005;
constexpr std::uint32_t unlock_after = 1;  // flag of record_store
constexpr std::uint32_t lock_timeout_ms = 120'000;
constexpr std::size_t header_bytes = 24;

class floe_access final : public access {
 public:
  floe_access(const std::string& socket_path, const std::string& database) : node_(socket_path) {
    bytes name;
    put(name, database);
    name.push_back(std::byte{0});
    db_id_ = get<std::uint32_t>(node_.must(db_attach, name), 0);
  }

  void lock(std::string_view key) override {
    bytes request;
    put(request, db_id_);
    put(request, std::uint32_t{0});
    put(request, lock_timeout_ms);
    put(request, static_cast<std::uint32_t>(key.size()));
    put(request, key);
    // the record's header, u32 length, data, u64 id of the lock
    const auto answer = node_.must(record_lock, request);
    lock_id_ =
        get<std::uint64_t>(answer, header_bytes + 4 + get<std::uint32_t>(answer, header_bytes));
  }

  void store_and_unlock(std::string_view data) override {
    bytes request;
    put(request, lock_id_);
    put(request, unlock_after);
    put(request, static_cast<std::uint32_t>(data.size()));
    put(request, data);
    node_.must(record_store, request);
  }

  void unlock() override {
    bytes request;
    put(request, lock_id_);
    node_.must(record_unlock, request);
  }

 private:
  connection node_;
  std::uint32_t db_id_ = 0;
  std::uint64_t lock_id_ = 0;
};

}  // namespace

std::unique_ptr<access> open_floe(const std::string& socket_path, const std::string& database) {
  return std::make_unique<floe_access>(socket_path, database);
}

}  // namespace floe::bench
