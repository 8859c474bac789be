#include "storage/environment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "storage/heap.hpp"
#include "storage/odd_file.hpp"
#include "storage/room.hpp"

namespace floe {
namespace {

constexpr std::uint64_t first_map = 6 * page_size;  ///< many databases stay empty or small
constexpr std::uint64_t step_min = 1 << 20;
constexpr std::uint64_t last_step_min =
    64 << 10;  ///< smaller reservations are not worth a new mapping
constexpr std::uint64_t keep_back = 16 * page_size;
constexpr unsigned file_mode = 0600;
constexpr MDB_dbi page_list = 0;
/// As large as LMDB makes its lock file: 192 bytes and 64 for each reader but the first.
constexpr unsigned readers_max = 126;
constexpr off_t lock_file_size = 192 + 64 * (readers_max - 1);

std::uint64_t whole_pages(std::uint64_t size) {
  return (size + page_size - 1) / page_size * page_size;
}

int reserve_in(int fd, off_t from, off_t size) {
  for (;;) {
    int rc = posix_fallocate(fd, from, size);
    if (rc != EINTR) return rc;
  }
}

std::unexpected<store_error> failed(int cause, byte_view doing) {
  return std::unexpected(lmdb_error(cause, doing));
}

/// LMDB calls it before it aborts the process: a page is damaged. At least say in which database.
void say_which(MDB_env* env, const char* message) {
  auto* label = static_cast<const char*>(mdb_env_get_userctx(env));
  std::fprintf(stderr, "floe: damaged database file %s: %s\n", label, message);
}

}  // namespace

std::expected<write_txn, store_error> write_txn::begin(MDB_env* env, MDB_dbi dbi) {
  write_txn made;
  if (int rc = mdb_txn_begin(env, nullptr, 0, &made.txn_)) return failed(rc, "begin transaction");
  if (int rc = mdb_cursor_open(made.txn_, dbi, &made.cursor_)) return failed(rc, "open cursor");
  return made;
}

int write_txn::commit() {
  mdb_cursor_close(std::exchange(cursor_, nullptr));
  return mdb_txn_commit(std::exchange(txn_, nullptr));
}

void write_txn::abort() {
  if (cursor_ != nullptr) mdb_cursor_close(std::exchange(cursor_, nullptr));
  if (txn_ != nullptr) mdb_txn_abort(std::exchange(txn_, nullptr));
}

std::expected<std::unique_ptr<environment>, store_error> environment::open(
    const store_options& options) {
  std::unique_ptr<environment> made(new environment(options));
  std::error_code error;
  bool existed = std::filesystem::exists(options.file, error);
  if (options.create_empty) {
    for (const auto& file : {options.file, made->lock_file()})
      if (!std::filesystem::remove(file, error) && error)
        return failed(error.value(), "delete " + file.string());
    existed = false;
  }
  made->remove_copy();
  auto opened = made->open_file();
  if (!opened) {
    if (!existed) {
      std::filesystem::remove(options.file, error);
      std::filesystem::remove(made->lock_file(), error);
    }
    return std::unexpected(std::move(opened.error()));
  }
  if (!existed)
    if (auto synced = made->sync_name(); !synced) return std::unexpected(std::move(synced.error()));
  return made;
}

environment::~environment() { close(); }

std::expected<void, store_error> environment::open_file() {
  label_ = options_.file.string();
  std::string doing = "open " + label_;
  if (int rc = fault(disk_op::open, 0)) return failed(rc, doing);
  for (const auto& file : {options_.file, lock_file()})
    if (const std::string odd = odd_kind(file); !odd.empty())
      return std::unexpected(
          own_error(store_errc::denied, "open " + file.string() + ": it is " + odd));
  if (int rc = mdb_env_create(&env_)) return failed(rc, doing);
  auto fail = [&](int rc) {
    close();
    return failed(rc, doing);
  };
  mdb_env_set_userctx(env_, label_.data());
  mdb_env_set_assert(env_, say_which);

  std::uint64_t map = options_.map_initial;
  if (map == 0) map = writable_map() ? first_map : std::uint64_t{1} << 30;
  map = whole_pages(std::clamp(map, first_map, put_limit()));
  if (int rc = mdb_env_set_mapsize(env_, map)) return fail(rc);
  unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
  if (writable_map()) flags |= MDB_NOSYNC | MDB_WRITEMAP;
  if (int rc = mdb_env_set_maxreaders(env_, readers_max)) return fail(rc);
  if (int rc = reserve_lock_file()) return fail(rc);
  {
    const untouched_blocks lists;
    if (int rc = mdb_env_open(env_, label_.c_str(), flags, file_mode)) return fail(rc);
  }
  // LMDB has touched only what it wrote with write(); from here on it may touch any page of the
  // map.
  if (writable_map())
    if (int rc = reserve(0, map_bytes())) return fail(rc);
  kept_back_ = 0;
  using_kept_back_ = false;
  disk_end_ = 0;
  keep_room_back();

  MDB_txn* txn = nullptr;
  if (int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn)) return fail(rc);
  int rc = mdb_dbi_open(txn, nullptr, 0, &dbi_);
  mdb_txn_abort(txn);
  if (rc != 0) return fail(rc);
  keep_disk_back();
  return {};
}

void environment::close() {
  if (reader_ != nullptr) mdb_txn_abort(std::exchange(reader_, nullptr));
  if (env_ != nullptr) mdb_env_close(std::exchange(env_, nullptr));
}

std::expected<void, store_error> environment::reopen() {
  close();
  return open_file();
}

std::uint64_t environment::put_limit() const {
  return std::max<std::uint64_t>(options_.map_limit, 4 * keep_back) - keep_back;
}

int environment::reserve(std::uint64_t from, std::uint64_t size) const {
  if (int rc = fault(disk_op::reserve, size)) return rc;
  int fd = -1;
  mdb_env_get_fd(env_, &fd);
  return reserve_in(fd, static_cast<off_t>(from), static_cast<off_t>(size));
}

/// LMDB makes the file without blocks and then writes into a mapping of it, which on a full disk is a SIGBUS. Nobody
/// of this process has it open now, so closing it here takes no lock of LMDB's away.
int environment::reserve_lock_file() const {
  int fd = ::open(lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, file_mode);
  if (fd < 0) return errno;
  int rc = reserve_in(fd, 0, lock_file_size);
  ::close(fd);
  return rc;
}

void environment::keep_room_back() {
  // LMDB cuts the file to the size of the map when it maps, so this comes after each mapping. It
  // may fail: then there is no room kept back until the next growth.
  kept_back_ = !writable_map() || reserve(map_bytes(), keep_back) == 0 ? keep_back : 0;
}

std::expected<void, store_error> environment::set_map(std::uint64_t size) {
  const std::uint64_t before = map_bytes();
  int rc = mdb_env_set_mapsize(env_, size);
  if (rc == 0) return {};
  auto error = lmdb_error(rc, "enlarge map");
  // The old mapping is gone already. Where there was no memory for a larger one there is for that.
  options_.map_initial = before;
  if (!reopen()) error.code = store_errc::not_open;
  return std::unexpected(std::move(error));
}

std::expected<void, store_error> environment::grow(room purpose, std::uint64_t at_least) {
  // A reader process that died keeps pages from being used again.
  int dead_readers = 0;
  mdb_reader_check(env_, &dead_readers);

  std::uint64_t map = map_bytes();
  std::uint64_t limit = put_limit();
  int cause = MDB_MAP_FULL;
  if (map < limit) {
    std::uint64_t by = whole_pages(
        std::max({map < step_min ? map : std::max(map / 4, step_min), last_step_min, at_least}));
    by = std::min(by, whole_pages(limit - map));
    cause = 0;
    if (writable_map()) {
      while ((cause = reserve(map + kept_back_, by)) == ENOSPC && by / 2 >= last_step_min)
        by = whole_pages(by / 2);
    }
    if (cause == 0) {
      if (auto mapped = set_map(map + by); !mapped) return mapped;
      using_kept_back_ = false;
      keep_room_back();
      return {};
    }
  }
  if (purpose == room::for_erases && kept_back_ != 0) {
    if (auto mapped = set_map(map + std::exchange(kept_back_, 0)); !mapped) return mapped;
    using_kept_back_ = true;
    return {};
  }
  return failed(cause, "enlarge map");
}

std::expected<void, store_error> environment::admit_puts() {
  if (!using_kept_back_) return {};
  auto grown = grow(room::for_puts);
  if (grown || grown.error().code == store_errc::not_open) return grown;
  auto free = free_pages();
  if (!free) return std::unexpected(std::move(free.error()));
  if (*free + (map_bytes() / page_size - file_pages()) < 2 * keep_back / page_size) return grown;
  return {};
}

std::expected<void, store_error> environment::reserve_disk(std::uint64_t size) {
  if (writable_map()) return {};
  std::uint64_t end = file_pages() * page_size;
  std::uint64_t wanted = end + whole_pages(size) + keep_back;
  if (wanted <= disk_end_) return {};
  int fd = -1;
  mdb_env_get_fd(env_, &fd);
  int cause = 0;
  // Some more than needed, since a reservation makes the next flush dearer.
  for (std::uint64_t to : {wanted + step_min, wanted}) {
    cause = fault(disk_op::reserve, to - end);
    if (cause == 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(end),
                                static_cast<off_t>(to - end)) != 0)
      cause = errno;
    if (cause == 0 || cause == EOPNOTSUPP) {
      disk_end_ = to;
      return {};
    }
  }
  if (lmdb_error(cause, "").code != store_errc::full_disk) return {};  // the commit will tell
  auto free = free_pages();
  if (free && *free * page_size >= 2 * (whole_pages(size) + keep_back)) return {};
  return failed(cause, "reserve disk");
}

void environment::keep_disk_back() {
  [[maybe_unused]] auto done = reserve_disk(0);  // if it cannot be had, the next commit will say so
}

std::expected<MDB_txn*, store_error> environment::begin_read() {
  if (reader_ != nullptr) {
    if (int rc = mdb_txn_renew(reader_)) return failed(rc, "begin read");
    return reader_;
  }
  int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_);
  if (rc == MDB_READERS_FULL) {
    int dead_readers = 0;
    mdb_reader_check(env_, &dead_readers);
    rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader_);
  }
  if (rc != 0) {
    reader_ = nullptr;
    return failed(rc, "begin read");
  }
  return reader_;
}

void environment::end_read() { mdb_txn_reset(reader_); }

std::expected<std::uint64_t, store_error> environment::free_pages() {
  auto txn = begin_read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  MDB_cursor* cursor = nullptr;
  std::uint64_t pages = 0;
  int rc = mdb_cursor_open(*txn, page_list, &cursor);
  if (rc == 0) {
    MDB_val key, list;
    while ((rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
      std::size_t count = 0;  // each list begins with its length
      if (list.mv_size >= sizeof count) std::memcpy(&count, list.mv_data, sizeof count);
      pages += count;
    }
    mdb_cursor_close(cursor);
  }
  end_read();
  if (rc != MDB_NOTFOUND) return failed(rc, "read free list");
  return pages;
}

std::uint64_t environment::file_pages() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_pgno + 1;
}

std::uint64_t environment::map_bytes() const {
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_mapsize;
}

std::expected<std::unique_ptr<environment>, store_error> environment::compacted_copy() {
  remove_copy();
  store_options options = options_;
  options.file = copy_file();
  options.create_empty = false;
  int rc = fault(disk_op::write, file_pages() * page_size);
  const auto pages = pages_of_small_copy();
  if (rc == 0 && pages == 0) rc = copy_content_to(options.file);
  if (rc == 0) {
    options.create_empty = pages != 0;
    if (pages != 0) options.map_initial = pages * page_size;
    auto copy = open(options);
    rc = copy ? 0 : copy.error().cause;
    if (rc == 0 && pages != 0) rc = copy_records_to(**copy);
    if (rc == 0) return copy;
  }
  remove_copy();
  return failed(rc, "compact " + label_);
}

/// What a small content that need not be on the disk may take in its new file, with room to go on in; else 0. LMDB's own
/// copying begins by zeroing two megabytes, which takes longer than putting so few records one behind the other.
std::uint64_t environment::pages_of_small_copy() {
  constexpr std::uint64_t small = 256, room = 64;
  if (!writable_map()) return 0;
  const auto free = free_pages();
  const auto used = free ? file_pages() - *free : small + 1;
  return used <= small ? 2 * used + room : 0;
}

/// All of them, into an empty one; nothing that others wait for is written to the disk.
int environment::copy_records_to(const environment& to) {
  auto from = begin_read();
  if (!from) return from.error().cause;
  MDB_cursor* cursor = nullptr;
  int rc = mdb_cursor_open(*from, dbi_, &cursor);
  if (rc == 0) {
    auto write = write_txn::begin(to.env_, to.dbi_);
    rc = write ? 0 : write.error().cause;
    MDB_val key, value;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
      rc = mdb_cursor_put(write->cursor(), &key, &value, MDB_APPEND);
    if (rc == MDB_NOTFOUND) rc = write->commit();
    mdb_cursor_close(cursor);
  }
  end_read();
  return rc;
}

/// By a descriptor of ours: LMDB opens one past the page cache, and who waits for the disk is the node.
int environment::copy_content_to(const std::filesystem::path& file) const {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
  if (fd < 0) return errno;
  int rc = mdb_env_copyfd2(env_, fd, MDB_CP_COMPACT);
  if (rc == 0 && !writable_map() && fsync(fd) != 0) rc = errno;
  if (::close(fd) != 0 && rc == 0) rc = errno;
  return rc;
}

void environment::remove_copy() const {
  std::error_code ignored;
  std::filesystem::remove(copy_file(), ignored);
  std::filesystem::remove(copy_file() + "-lock", ignored);
}

std::expected<void, store_error> environment::take_place_of(const environment& old) {
  // A new data file beside the old lock file would lose commits in the eyes of other processes:
  // both move.
  auto lock = lock_file();
  if (std::rename(options_.file.c_str(), old.options_.file.c_str()) != 0) {
    int cause = errno;
    old.remove_copy();
    return failed(cause, "replace " + old.label_);
  }
  if (std::rename(lock.c_str(), old.lock_file().c_str()) != 0) std::remove(old.lock_file().c_str());
  options_ = old.options_;
  options_.create_empty = false;
  label_ = options_.file.string();
  mdb_env_set_userctx(env_, label_.data());
  return {};
}

std::expected<void, store_error> environment::sync_name() const {
  if (writable_map()) return {};
  if (int rc = sync_folder(options_.file.parent_path()))
    return failed(rc, "sync folder of " + label_);
  return {};
}

store_error environment::commit_error(int cause) const {
  // LMDB calls it an input/output error when less was written than it wanted, which is how a disk fills up
  const bool full =
      cause == EIO && free_on_disk(options_.file, file_pages() * page_size) < step_min;
  return lmdb_error(full ? ENOSPC : cause, "commit");
}

int sync_folder(const std::filesystem::path& folder) {
  int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int rc = fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return rc;
}

}  // namespace floe
