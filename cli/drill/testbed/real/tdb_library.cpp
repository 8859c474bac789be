#include "cli/drill/testbed/real/tdb_library.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/libtdb.hpp"

namespace floe::cli::drill {
namespace {

struct context;  ///< TDB_CONTEXT
struct datum {   ///< TDB_DATA
  unsigned char* bytes;
  std::size_t size;
};
using hash_function = unsigned int (*)(datum*);

/// The functions that are used, with their types from tdb.h.
struct library {
  context* (*open_ex)(const char*, int, int, int, mode_t, const void* log, hash_function) = nullptr;
  int (*close)(context*) = nullptr;
  int (*chainlock_nonblock)(context*, datum) = nullptr;
  int (*chainunlock)(context*, datum) = nullptr;
  datum (*fetch)(context*, datum) = nullptr;
  int (*store)(context*, datum, datum, int) = nullptr;
  int (*hash_size)(context*) = nullptr;
  hash_function jenkins_hash = nullptr;
  std::string missing;

  library() {
    libtdb found;
    found.find("tdb_open_ex", open_ex);
    found.find("tdb_close", close);
    found.find("tdb_chainlock_nonblock", chainlock_nonblock);
    found.find("tdb_chainunlock", chainunlock);
    found.find("tdb_fetch", fetch);
    found.find("tdb_store", store);
    found.find("tdb_hash_size", hash_size);
    found.find("tdb_jenkins_hash", jenkins_hash);
    missing = found.missing();
  }
};

const library& lib() {
  static const library l;
  return l;
}

/// libtdb does not change what it is given as a key or a value.
datum datum_of(const std::string& s) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(s.data())), s.size()};
}

class open_file final : public tdb_file {
 public:
  explicit open_file(context* c)
      : context_(c), chains_(static_cast<std::uint32_t>(lib().hash_size(c))) {}
  ~open_file() override { lib().close(context_); }
  open_file(const open_file&) = delete;

  std::uint32_t chain_of(const std::string& key) const override {
    auto d = datum_of(key);
    return lib().jenkins_hash(&d) % chains_;
  }
  bool try_lock(const std::string& key) override {
    return lib().chainlock_nonblock(context_, datum_of(key)) == 0;
  }
  void unlock(const std::string& key) override { lib().chainunlock(context_, datum_of(key)); }
  std::optional<std::string> fetch(const std::string& key) override {
    const auto found = lib().fetch(context_, datum_of(key));
    if (!found.bytes) return std::nullopt;
    std::string value(reinterpret_cast<const char*>(found.bytes), found.size);
    std::free(found.bytes);
    return value;
  }
  bool store(const std::string& key, const std::string& value) override {
    constexpr int replace = 1;
    return lib().store(context_, datum_of(key), datum_of(value), replace) == 0;
  }

 private:
  context* context_;
  std::uint32_t chains_;
};

}  // namespace

std::expected<std::unique_ptr<tdb_file>, std::string> open_tdb(const std::string& path, int flags) {
  if (!lib().missing.empty()) return std::unexpected(lib().missing);
  auto* c = lib().open_ex(path.c_str(), 0, flags, O_RDWR, 0600, nullptr, lib().jenkins_hash);
  if (!c)
    return std::unexpected(fmt::format("{} cannot be opened: {}", path, std::strerror(errno)));
  return std::make_unique<open_file>(c);
}

}  // namespace floe::cli::drill
