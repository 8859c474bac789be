#pragma once
/// Is there room on a store's disk? For who was refused, or whose commit failed, and wants to know whether another try is
/// worth it. Nothing is taken by asking; a quota shows only when it is met.
#include <cstdint>
#include <filesystem>

#include "storage/store.hpp"

namespace floe {

/// Bytes that a file which has `used` of them may still grow by, by its file system and by the largest file that this process may write.
std::uint64_t free_on_disk(const std::filesystem::path& file, std::uint64_t used);
/// Room for so many more bytes in a store: in its map and on the disk.
bool has_room(store&, std::uint64_t wanted);
/// Room in a folder for the file of a new store, and for its first records.
bool has_room_for_new_store(const std::filesystem::path& folder, disk_faults*);

}  // namespace floe
