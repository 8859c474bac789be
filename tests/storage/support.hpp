#pragma once
/// What the tests of the store share: a folder that goes away, random records from a printed seed,
/// a reference content, children of this program.
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace floe::test {

/// In memory where that is possible, since most tests do not care how long a disk takes.
class temp_dir {
 public:
  enum class where { memory, disk };
  explicit temp_dir(where place = where::memory);
  ~temp_dir();
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using random_source = std::mt19937_64;
std::uint64_t below(random_source& random, std::uint64_t limit);
bytes random_bytes(random_source& random, std::size_t length);
/// Of any length from 0 to 5000, short ones more often, with an eye on the bounds of key and page.
bytes some_key(random_source& random);
std::vector<bytes> some_keys(random_source& random, std::size_t count);
bytes some_data(random_source& random, std::size_t max = 20000);
record_header some_header(random_source& random);

/// Hashes that make long keys collide.
hash128 four_hashes(byte_view key);
hash128 one_hash(byte_view key);

struct in_key_order {
  long_key_hash hash = hash_long_key;
  bool operator()(const bytes& a, const bytes& b) const { return key_order(a, b, hash) < 0; }
};
/// What a store should hold, in the order in which it should show it.
struct content {
  explicit content(long_key_hash hash = hash_long_key) : records(in_key_order{hash}) {}
  std::map<bytes, record, in_key_order> records;
  void put(const record& r) { records.insert_or_assign(r.key, r); }
  std::vector<record_view> views() const;
};
bool same(store& s, const content& expected);
/// All records, in scan order; nothing if the scan fails.
std::optional<std::vector<record>> all_records(store& s);

/// Empty if there is none.
bytes meta_of(store& s, byte_view name);

/// Opens or fails the test.
store opened(const store_options& options);
record make_record(bytes key, bytes data, std::uint64_t number = 1);

/// This program again, as `test_storage --child NAME ARGUMENTS`; see children.cpp.
struct child_process {
  pid_t pid = -1;
  int out = -1;
};
child_process start_child(std::vector<std::string> arguments);
/// Reads its output to the end and waits: output and wait status.
std::pair<std::string, int> finish_child(child_process child);
int run_child(const std::vector<std::string>& arguments);

}  // namespace floe::test
