#pragma once
/// Directories in which simulated clusters have their files: in memory, where there is some, for small clusters are made
/// and thrown away by the hundred. One that was killed leaves its directory, which is a loss of memory until the next
/// start: a directory whose owner no longer lives is removed then.
#include <sys/types.h>

#include <filesystem>

namespace floe {

/// Of one cluster, from its first file to its last.
class scratch_directory {
 public:
  /// Removes what was left behind, once per process, too.
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;  ///< held as long as the owner lives, also in another namespace of processes
};

/// Removes directories whose owners no longer live.
void remove_left_scratch();
/// Removes those of a process that has ended.
void remove_scratch_of(pid_t);
/// Those of this process, before it ends without a word to their owners.
void remove_own_scratch();

}  // namespace floe
