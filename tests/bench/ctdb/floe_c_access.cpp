#include <floe/client.h>

#include "access.hpp"
#include "connection.hpp"

namespace floe::bench {
namespace {

constexpr int patience_ms = 120'000;

void must(int result) {
  if (result != FLOE_OK) give_up(floe_error_text());
}

class floe_c_access final : public access {
 public:
  floe_c_access(const std::string& socket_path, const std::string& database) {
    must(floe_connect(socket_path.c_str(), 0, patience_ms, &node_));
    must(floe_attach(node_, database.c_str(), FLOE_VOLATILE, patience_ms, &db_));
  }
  ~floe_c_access() override { floe_disconnect(node_); }

  void lock(std::string_view key) override {
    must(floe_lock_record(node_, db_, key.data(), key.size(), patience_ms, &held_));
  }
  std::string data() override {
    std::size_t size = 0;
    const auto* at = static_cast<const char*>(floe_lock_data(held_, &size));
    return size == 0 ? std::string() : std::string(at, size);
  }
  void store_and_unlock(std::string_view data) override {
    must(floe_store(held_, data.data(), data.size()));
    unlock();
  }
  void erase_and_unlock() override {
    must(floe_delete(held_));
    unlock();
  }
  void unlock() override { must(floe_unlock(held_)); }
  void read(std::string_view key) override {
    floe_value value;
    must(floe_read(node_, db_, key.data(), key.size(), FLOE_READ_SETTLED, patience_ms, &value));
    floe_free(&value);
  }
  void fetch(std::string_view key) override {
    floe_value value;
    must(floe_read(node_, db_, key.data(), key.size(), FLOE_READ_OWNER, patience_ms, &value));
    floe_free(&value);
  }
  void allow_copies() override { must(floe_allow_copies(node_, db_, patience_ms)); }

 private:
  floe_connection* node_ = nullptr;
  floe_db db_ = 0;
  floe_lock* held_ = nullptr;
};

}  // namespace

std::unique_ptr<access> open_floe_c(const std::string& socket_path, const std::string& database) {
  return std::make_unique<floe_c_access>(socket_path, database);
}

}  // namespace floe::bench
