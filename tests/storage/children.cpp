/// What this program does as a child of its own tests: things that end in a kill, or that need a
/// mount namespace of their own.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "storage/health.hpp"
#include "tests/storage/support.hpp"

namespace floe::test {
namespace {

constexpr int not_permitted = 77;

[[noreturn]] void give_up(const char* what, const std::string& why) {
  std::printf("failed: %s: %s\n", what, why.c_str());
  std::fflush(stdout);
  _exit(1);
}

/// Commits pairs of equal records for ever and says after each commit which one it was.
int write_pairs(const std::string& kind, const std::string& file) {
  auto made =
      store::open({.kind = kind == "persistent" ? db_kind::persistent : db_kind::volatile_db,
                   .file = file,
                   .map_initial = 1 << 20});
  if (!made) give_up("open", made.error().text);
  for (std::uint64_t n = 1;; ++n) {
    bytes number = std::to_string(n), a = "a" + number, b = "b" + number;
    bytes data(100 + n % 3000, static_cast<char>('a' + n % 26));
    record_header header{.rsn = rsn{n}};
    change pair[] = {change::put(a, header, data), change::put(b, header, data),
                     change::put("latest", header, number), change::set_meta("latest", number)};
    if (auto done = made->apply(pair, durability::committed); !done)
      give_up("apply", done.error().text);
    if (write(STDOUT_FILENO, &n, sizeof n) != sizeof n) return 0;
  }
}

/// A file system of 4 MiB that nobody else sees. False: not permitted here.
bool mount_small(const std::string& folder) {
  if (unshare(CLONE_NEWNS) != 0) {
    if (errno != EPERM) give_up("unshare", std::strerror(errno));
    uid_t uid = getuid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    int map = open("/proc/self/uid_map", O_WRONLY);
    std::string line = "0 " + std::to_string(uid) + " 1";
    bool mapped = map >= 0 && write(map, line.data(), line.size()) > 0;
    if (map >= 0) close(map);
    if (!mapped) return false;
  }
  // Nothing mounted here shall reach the outside.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=4m") == 0;
}

/// Fills the disk through the store until it refuses; then everything must still be there, deleting
/// must work, and what was deleted makes room again.
int fill_disk(const std::string& kind, const std::string& folder) {
  if (!mount_small(folder)) return not_permitted;
  store_options options{.kind = kind == "persistent" ? db_kind::persistent : db_kind::volatile_db,
                        .file = folder + "/full.ldb"};
  auto made = store::open(options);
  if (!made) give_up("open", made.error().text);
  content expected;
  std::optional<store_error> refused;
  for (std::uint64_t n = 0; n < 100000 && !refused; ++n) {
    record r = make_record("key" + std::to_string(n), bytes(200 + n % 100, 'x'), n);
    change c = change::put(r);
    if (auto done = made->apply({&c, 1}, durability::committed); !done)
      refused = done.error();
    else
      expected.put(r);
  }
  if (!refused) give_up("fill", "the disk never was full");
  if (refused->code != store_errc::full_disk)
    give_up("fill", std::string(name(refused->code)) + refused->text);
  if (expected.records.size() < 5000)
    give_up("fill", "full after " + std::to_string(expected.records.size()));
  if (!same(*made, expected)) give_up("full", "content has changed");

  // Deleting works one record at a time, from a full disk on.
  for (int n = 0; n < 2000; ++n) {
    bytes key = "key" + std::to_string(n);
    change c = change::erase(key);
    if (auto done = made->apply({&c, 1}, durability::committed); !done)
      give_up("erase", key + " " + done.error().text);
    expected.records.erase(key);
  }
  if (!same(*made, expected)) give_up("after erase", "content is wrong");
  for (int n = 0; n < 1000; ++n) {
    record r = make_record("new" + std::to_string(n), bytes(200, 'y'));
    change c = change::put(r);
    if (auto done = made->apply({&c, 1}, durability::committed); !done)
      give_up("put again", r.key + " " + done.error().text);
    expected.put(r);
  }
  if (!same(*made, expected)) give_up("after put", "content is wrong");
  // A replacement that does not fit is refused as a whole.
  content larger;
  for (int n = 0; n < 30000; ++n)
    larger.put(make_record("other" + std::to_string(n), bytes(300, 'z')));
  auto views = larger.views();
  span_source source(views);
  auto replaced = made->replace(source);
  if (replaced) give_up("replace", "fitted");
  if (replaced.error().code != store_errc::full_disk) give_up("replace", replaced.error().text);
  if (!same(*made, expected)) give_up("after replace", "content is wrong");
  if (auto done = made->wipe(); !done) give_up("wipe", done.error().text);
  if (!same(*made, content())) give_up("after wipe", "content is wrong");
  { store closed = std::move(*made); }
  if (kind == "persistent") {
    auto report = check_file(options.file);
    if (!report || !report->sound) give_up("check", report ? report->finding : report.error().text);
  }
  return 0;
}

/// Breaks the store's contract, which ends the process.
int misuse(const std::string& how, const std::string& file) {
  auto made = store::open({.file = file, .create_empty = true});
  if (!made) give_up("open", made.error().text);
  if (!made->put("key", {}, "data")) give_up("put", "failed");
  bool flushed = false;
  auto shown = made->visit("key", [&](const record_view&) {
    if (how == "callback") flushed = made->flush().has_value();
  });
  return shown && !flushed ? 0 : 1;
}

}  // namespace

int run_child(const std::vector<std::string>& arguments) {
  const std::string& name = arguments[0];
  if (name == "pairs") return write_pairs(arguments.at(1), arguments.at(2));
  if (name == "fill") return fill_disk(arguments.at(1), arguments.at(2));
  if (name == "misuse") return misuse(arguments.at(1), arguments.at(2));
  if (name == "check") return health_child(arguments.at(1));
  if (name == "hang") return pause();
  std::printf("no such child: %s\n", name.c_str());
  return 2;
}

}  // namespace floe::test
