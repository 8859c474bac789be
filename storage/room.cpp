#include "storage/room.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>

namespace floe {

std::uint64_t free_on_disk(const std::filesystem::path& file, std::uint64_t used) {
  struct statvfs fs {};
  const std::uint64_t there =
      ::statvfs(file.c_str(), &fs) == 0 ? std::uint64_t{fs.f_bavail} * fs.f_frsize : 0;
  rlimit largest{};
  if (::getrlimit(RLIMIT_FSIZE, &largest) != 0 || largest.rlim_cur == RLIM_INFINITY) return there;
  return std::min<std::uint64_t>(there, std::max<std::uint64_t>(largest.rlim_cur, used) - used);
}

bool has_room(store& s, std::uint64_t wanted) {
  const auto& o = s.options();
  if (o.faults != nullptr && o.faults->check(disk_op::reserve, wanted) != 0) return false;
  const auto now = s.stats();
  if (!now) return false;
  constexpr std::uint64_t page = 4096;
  const auto used = now->file_pages * page;
  if (now->bytes_used() + wanted > o.map_limit) return false;
  // blocks that the file has and does not use yet, and pages that are free again
  struct stat file {};
  if (::stat(o.file.c_str(), &file) != 0) return false;
  const auto blocks = static_cast<std::uint64_t>(file.st_blocks) * 512;
  const auto ours = std::max(blocks, used) - used + now->free_pages * page / 2;
  return free_on_disk(o.file, used) + ours >= wanted;
}

bool has_room_for_new_store(const std::filesystem::path& folder, disk_faults* faults) {
  constexpr std::uint64_t wanted = std::uint64_t{2} << 20;
  if (faults != nullptr && faults->check(disk_op::reserve, wanted) != 0) return false;
  return free_on_disk(folder, 0) >= wanted;
}

}  // namespace floe
