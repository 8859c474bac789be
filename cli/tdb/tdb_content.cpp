#include "cli/tdb/tdb_content.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "actors/tdb_bridge/tdb_abi.hpp"
#include "cli/libtdb.hpp"
#include "protocol/types/rec_data.hpp"

namespace floe::cli {
namespace {

/// What ctdbd gives its persistent files: that many chains, no flags.
constexpr int ctdbd_hash_size = 100'001;
constexpr int no_lock = 4, no_sync = 64;

/// The functions that are used.
struct library {
  decltype(&::tdb_open) open = nullptr;
  decltype(&::tdb_close) close = nullptr;
  decltype(&::tdb_check) check = nullptr;
  decltype(&::tdb_traverse_read) traverse_read = nullptr;
  decltype(&::tdb_store) store = nullptr;
  decltype(&::tdb_fd) fd = nullptr;
  std::string missing;

  library() {
    libtdb found;
    found.find("tdb_open", open);
    found.find("tdb_close", close);
    found.find("tdb_check", check);
    found.find("tdb_traverse_read", traverse_read);
    found.find("tdb_store", store);
    found.find("tdb_fd", fd);
    missing = found.missing();
  }
};

const library& lib() {
  static const library l;
  return l;
}

struct closing {
  void operator()(tdb_context* t) const { lib().close(t); }
};
using open_tdb = std::unique_ptr<tdb_context, closing>;

struct reading {
  std::vector<record> records;
  std::string wrong;
};

int take(tdb_context*, TDB_DATA key, TDB_DATA data, void* to) {
  auto& all = *static_cast<reading*>(to);
  const bytes k(reinterpret_cast<const char*>(key.dptr), key.dsize);
  if (data.dsize < record_header::wire_size) {
    all.wrong = "it holds a record without a header: this is no database of a ctdbd";
    return 1;
  }
  const auto* at = reinterpret_cast<const char*>(data.dptr);
  all.records.push_back(
      {k, load_header(at),
       bytes(at + record_header::wire_size, data.dsize - record_header::wire_size)});
  return 0;
}

TDB_DATA as_data(const bytes& b) {
  // libtdb writes nothing through it
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(b.data())), b.size()};
}

}  // namespace

std::expected<std::vector<record>, std::string> read_tdb(const std::string& path) {
  if (!lib().missing.empty()) return std::unexpected(lib().missing);
  const open_tdb file(lib().open(path.c_str(), 0, 0, O_RDONLY, 0));
  if (!file)
    return std::unexpected(
        fmt::format("{}: {}", path, errno == EIO ? "not a TDB" : std::strerror(errno)));
  if (lib().check(file.get(), nullptr, nullptr) != 0)
    return std::unexpected(path + ": libtdb finds it damaged (see `tdbtool FILE check`)");
  reading all;
  if (lib().traverse_read(file.get(), take, &all) < 0)
    return std::unexpected(path + ": cannot be read");
  if (!all.wrong.empty()) return std::unexpected(path + ": " + all.wrong);
  return std::move(all.records);
}

std::expected<void, std::string> write_tdb(const std::string& path,
                                           const std::vector<record>& records) {
  if (!lib().missing.empty()) return std::unexpected(lib().missing);
  const auto unfinished = path + ".unfinished";
  const auto fail = [&](const std::string& why) {
    ::unlink(unfinished.c_str());
    return std::unexpected(fmt::format("{}: {}", path, why));
  };
  if (::access(path.c_str(), F_OK) == 0) return std::unexpected(path + ": is there already");
  ::unlink(unfinished.c_str());
  open_tdb file(lib().open(unfinished.c_str(), ctdbd_hash_size, no_lock | no_sync,
                           O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!file) return fail(std::strerror(errno));
  for (const auto& r : records) {
    bytes data;
    append_header(data, r.header);
    data += r.data;
    if (lib().store(file.get(), as_data(r.key), as_data(data), 0) != 0)
      return fail("cannot be written");
  }
  if (::fsync(lib().fd(file.get())) != 0) return fail(std::strerror(errno));
  file.reset();
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return fail(std::strerror(errno));
  return {};
}

}  // namespace floe::cli
