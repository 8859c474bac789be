#include "tests/storage/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

extern char** environ;

namespace floe::test {

temp_dir::temp_dir(where place) {
  std::filesystem::path parent = std::filesystem::temp_directory_path();
  if (place == where::memory && access("/dev/shm", W_OK) == 0) parent = "/dev/shm";
  std::string name = parent / "floe-storage-XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

temp_dir::~temp_dir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint64_t below(random_source& random, std::uint64_t limit) { return random() % limit; }

bytes random_bytes(random_source& random, std::size_t length) {
  bytes made(length, '\0');
  for (auto& octet : made) octet = static_cast<char>(random() & 0xff);
  return made;
}

bytes some_key(random_source& random) {
  switch (below(random, 8)) {
    case 0: return random_bytes(random, 253 + below(random, 4));  // where short keys end
    case 1: return random_bytes(random, below(random, 5001));
    case 2: return random_bytes(random, 255 + below(random, 300));
    case 3:
      return bytes(below(random, 12),
                   static_cast<char>(below(random, 3)));  // prefixes of each other
    default: return random_bytes(random, 1 + below(random, 24));
  }
}

std::vector<bytes> some_keys(random_source& random, std::size_t count) {
  std::vector<bytes> made(count);
  for (auto& key : made) key = some_key(random);
  return made;
}

bytes some_data(random_source& random, std::size_t max) {
  switch (below(random, 6)) {
    case 0: return {};
    case 1: return random_bytes(random, below(random, max + 1));
    default: return random_bytes(random, below(random, std::min<std::size_t>(max, 400) + 1));
  }
}

record_header some_header(random_source& random) {
  auto word = [&] { return static_cast<std::uint32_t>(random()); };
  return {rsn{below(random, 5)}, pnn{word()}, word(), word(), word()};
}

hash128 four_hashes(byte_view key) { return {0, hash_in_memory(key) % 4}; }
hash128 one_hash(byte_view) { return {7, 7}; }

std::vector<record_view> content::views() const {
  std::vector<record_view> made;
  made.reserve(records.size());
  for (const auto& [key, r] : records) made.emplace_back(r);
  return made;
}

std::optional<std::vector<record>> all_records(store& s) {
  std::vector<record> found;
  auto end = s.scan({}, [&](const record_view& r) {
    found.push_back({bytes(r.key), r.header, bytes(r.data)});
    return true;
  });
  if (!end || !end->at_end()) return std::nullopt;
  return found;
}

bool same(store& s, const content& expected) {
  auto found = all_records(s);
  if (!found || found->size() != expected.records.size() || s.count() != found->size())
    return false;
  auto at = found->begin();
  for (const auto& [key, r] : expected.records)
    if (*at++ != r) return false;
  return true;
}

bytes meta_of(store& s, byte_view name) {
  auto found = s.get_meta(name);
  if (!found) FAIL(found.error().text);
  return found->value_or(bytes());
}

store opened(const store_options& options) {
  auto made = store::open(options);
  if (!made) FAIL(made.error().text);
  return std::move(*made);
}

record make_record(bytes key, bytes data, std::uint64_t number) {
  return {std::move(key), {.rsn = rsn{number}, .dmaster = pnn{0}}, std::move(data)};
}

child_process start_child(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/proc/self/exe", "--child"});
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  child_process made{-1, ends[0]};
  REQUIRE(posix_spawn(&made.pid, argv[0], &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  return made;
}

std::pair<std::string, int> finish_child(child_process child) {
  std::string text;
  char part[4096];
  for (ssize_t got; (got = read(child.out, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(got));
  close(child.out);
  int status = -1;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  return {text, status};
}

}  // namespace floe::test
