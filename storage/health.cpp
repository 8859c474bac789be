#include "storage/health.hpp"

#include <fcntl.h>
#include <lmdb.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "storage/environment.hpp"
#include "storage/format.hpp"
#include "storage/odd_file.hpp"
#include "storage/tree.hpp"

namespace floe {
namespace {

constexpr MDB_dbi free_list = 0;
constexpr std::uint64_t meta_pages = 2;

/// What LMDB itself says against the file, as opposed to what kept us from looking.
bool means_damage(int rc) {
  auto code = lmdb_error(rc, "").code;
  return code == store_errc::corrupt || code == store_errc::wrong_format;
}

class file_walk {
 public:
  explicit file_walk(long_key_hash hash) : hash_(hash) {}
  ~file_walk() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    if (txn_ != nullptr) mdb_txn_abort(txn_);
    if (env_ != nullptr) mdb_env_close(env_);
  }
  file_walk(const file_walk&) = delete;
  file_walk& operator=(const file_walk&) = delete;

  std::expected<health_report, store_error> run(const std::filesystem::path& file) {
    if (const std::string odd = odd_kind(file); !odd.empty())
      return health_report{false, 0, "it is " + odd};
    std::error_code error;
    auto size = std::filesystem::file_size(file, error);
    if (error) return std::unexpected(lmdb_error(error.value(), "check " + file.string()));
    if (size == 0) return found("file is empty");  // LMDB would take it for a new one
    int rc = open(file, size);
    // A map of the file's own size is asked for: only a header with absurd numbers needs more.
    if (rc == EINVAL || rc == ENOMEM) return found("file header");
    if (rc == 0) rc = walk_free_list();
    if (rc == 0 && report_.finding.empty()) rc = walk_records();
    if (rc != 0 && !means_damage(rc))
      return std::unexpected(lmdb_error(rc, "check " + file.string()));
    if (rc != 0) report_.finding = mdb_strerror(rc);
    report_.sound = report_.finding.empty();
    return report_;
  }

 private:
  health_report found(const char* what) {
    damaged(what);
    return report_;
  }

  int open(const std::filesystem::path& file, std::uint64_t size) {
    int rc = mdb_env_create(&env_);
    if (rc == 0) rc = mdb_env_set_mapsize(env_, size);
    // No lock file: the file may be on a read-only copy, and nobody else has it open.
    if (rc == 0)
      rc = mdb_env_open(env_, file.c_str(), MDB_NOSUBDIR | MDB_NOTLS | MDB_RDONLY | MDB_NOLOCK,
                        0600);
    if (rc == 0) rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn_);
    if (rc == 0) rc = mdb_dbi_open(txn_, nullptr, 0, &dbi_);
    return rc;
  }

  int open_cursor(MDB_dbi dbi) {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    cursor_ = nullptr;
    return mdb_cursor_open(txn_, dbi, &cursor_);
  }

  /// Is every free page in the file, and free once?
  int walk_free_list() {
    MDB_envinfo info;
    mdb_env_info(env_, &info);
    std::uint64_t pages = info.me_last_pgno + 1;
    std::vector<bool> seen(pages);
    std::uint64_t free = 0;
    MDB_val k{}, v{};
    int rc = open_cursor(free_list);
    while (rc == 0 && (rc = mdb_cursor_get(cursor_, &k, &v, MDB_NEXT)) == 0) {
      std::vector<std::size_t> list(v.mv_size / sizeof(std::size_t));
      if (v.mv_size % sizeof(std::size_t) != 0 || list.empty())
        return damaged("free list entry of odd size");
      std::memcpy(list.data(), v.mv_data, v.mv_size);
      if (list[0] >= list.size()) return damaged("free list entry too short");
      for (std::size_t i = 1; i <= list[0]; ++i) {
        if (list[i] < meta_pages || list[i] >= pages) return damaged("free page outside the file");
        if (seen[list[i]]) return damaged("page twice in the free list");
        seen[list[i]] = true;
        ++free;
      }
    }
    if (rc != MDB_NOTFOUND) return rc;
    std::uint64_t used = meta_pages;
    for (MDB_dbi dbi : {free_list, dbi_}) {
      MDB_stat stat;
      if (int failed = mdb_stat(txn_, dbi, &stat)) return failed;
      used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    }
    if (used + free > pages) return damaged("pages both free and in use");
    return 0;
  }

  int walk_records() {
    MDB_stat stat;
    int rc = mdb_stat(txn_, dbi_, &stat);
    if (rc == 0) rc = open_cursor(dbi_);
    if (rc != 0) return rc;
    std::uint64_t entries = 0;
    byte_view before;
    MDB_val k{}, v{};
    while ((rc = mdb_cursor_get(cursor_, &k, &v, MDB_NEXT)) == 0) {
      byte_view inner = tree::view(k);
      if (entries != 0 && before.compare(inner) >= 0) return damaged("keys do not ascend");
      before = inner;
      ++entries;
      if (int wrong = entry(inner, tree::view(v)); wrong != 0 || !report_.finding.empty())
        return wrong;
    }
    if (rc != MDB_NOTFOUND) return rc;
    if (entries != stat.ms_entries) return damaged("number of entries is wrong");
    if (entries != 0 && !format_seen_) return damaged("no format version");
    return 0;
  }

  int entry(byte_view inner, byte_view value) {
    if (inner.starts_with(format::tag_meta)) {
      byte_view meta_name = inner.substr(1);
      if (!format::parse_meta(meta_name, value)) return damaged("metadatum with wrong sum");
      format_seen_ |= meta_name == format::version_name;
      return 0;
    }
    auto record = format::parse(inner, value);
    if (!record) return damaged("entry that is no record");
    format::inner_key expected{ordered_key(record->key, hash_)};
    if (!inner.starts_with(expected.without_slot())) return damaged("record under a wrong key");
    if (!format::sum_holds(value, *record)) return damaged("record with wrong sum");
    ++report_.records;
    return 0;
  }

  int damaged(const char* what) {
    report_.finding = what;
    return 0;
  }

  long_key_hash hash_;
  MDB_env* env_ = nullptr;
  MDB_txn* txn_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_cursor* cursor_ = nullptr;
  bool format_seen_ = false;
  health_report report_;
};

}  // namespace

std::expected<health_report, store_error> check_file(const std::filesystem::path& file,
                                                     long_key_hash hash) {
  return file_walk(hash).run(file);
}

std::expected<std::filesystem::path, store_error> set_aside(
    const std::filesystem::path& file, std::chrono::system_clock::time_point now) {
  std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, ".corrupt.%Y%m%dT%H%M%SZ", &utc);

  std::error_code error;
  std::filesystem::path aside = file;
  aside += stamp;
  for (int n = 2; std::filesystem::exists(aside, error); ++n) {
    aside = file;
    aside += stamp + ("-" + std::to_string(n));
  }
  std::filesystem::rename(file, aside, error);
  if (error) return std::unexpected(lmdb_error(error.value(), "set aside " + file.string()));
  std::filesystem::remove(file.string() + "-lock", error);
  if (int rc = sync_folder(file.parent_path()))
    return std::unexpected(lmdb_error(rc, "set aside " + file.string()));
  return aside;
}

}  // namespace floe
