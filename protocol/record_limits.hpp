#pragma once
/// How large what is stored may be, so that every later packet can carry it.
#include <cstddef>

namespace floe {

/// Bytes of key and data together. A record goes to other nodes in one packet, with headers of less than the difference
/// to the largest packet, so a larger one could be stored and never be moved, recovered or read elsewhere.
constexpr std::size_t record_size_max = (std::size_t{64} << 20) - 4096;

/// Bytes of a buffer of more than one record, whatever RecBufferSizeLimit says: with its headers it fits into a packet.
constexpr std::size_t rec_buffer_size_max = std::size_t{32} << 20;

}  // namespace floe
