#pragma once
/// The record table's shape in shared memory: what clients and the node both read and write. See README.md for the
/// picture and for the races; this file is the list of words and who writes each of them.
///
///   table_head │ sets: 8 hash tags and 8 slots each │ area: chunks with the key and the two data buffers of a slot
///
/// A chunk, in words of 8 bytes:  key, padded │ buffer 0: length, data │ buffer 1: length, data
/// Byte order and padding are the machine's: the memory never leaves it. Only the node writes what describes the memory
/// (tags, chunk, capacity, key, base_rsn, flags), and it keeps a copy of its own, so nothing that a client can write
/// leads the node anywhere; a client checks every offset against the size that it has mapped.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe {

using table_word = std::atomic<std::uint64_t>;
static_assert(table_word::is_always_lock_free && sizeof(table_word) == 8);

/// A thread of a client: the client's number in this table (never a process id, which may be used again) in the low 20
/// bits, and a number of the client's choice in the upper 12.
enum class table_holder : std::uint32_t { none = 0 };
inline constexpr std::uint32_t table_client_mask = (1U << 20) - 1;
/// So many clients may use a table at a time; a number is a place among them and, above it, how often that was given.
inline constexpr std::uint32_t table_client_places = 1U << 12;
inline constexpr std::uint32_t table_threads_max = (1U << 12) - 1;
constexpr table_holder holder_of(std::uint32_t client, std::uint32_t thread) {
  return table_holder{(client & table_client_mask) | thread << 20};
}
constexpr std::uint32_t client_of(table_holder h) {
  return static_cast<std::uint32_t>(h) & table_client_mask;
}
constexpr std::uint32_t thread_of(table_holder h) { return static_cast<std::uint32_t>(h) >> 20; }

/// The lock word of a slot. Everything that decides who may lock is in this one word, but *closed*.
///   bits 0..31 holder · 32 recalled · 33 somebody sleeps · 34 reserved for the heir · 35 a reader sleeps · 36..63 life
/// The life counts up when the slot is filled (odd) and when it is emptied (even): an operation that found its record in
/// an earlier life fails at its compare-and-swap.
struct lock_word {
  static constexpr std::uint64_t recall = 1ULL << 32;
  static constexpr std::uint64_t sleeper = 1ULL << 33;
  static constexpr std::uint64_t reserved = 1ULL << 34;
  static constexpr std::uint64_t reader = 1ULL << 35;
  static constexpr std::uint64_t anybody_waits = sleeper | reserved | reader;
  static constexpr std::uint64_t holder_bits = 0xffffffffULL;
  static constexpr unsigned life_shift = 36;
  static constexpr std::uint32_t life_mask = (1U << 28) - 1;

  std::uint64_t value = 0;

  constexpr table_holder holder() const {
    return table_holder{static_cast<std::uint32_t>(value & holder_bits)};
  }
  constexpr bool free() const { return (value & holder_bits) == 0; }
  constexpr bool has(std::uint64_t bit) const { return (value & bit) != 0; }
  constexpr std::uint32_t life() const { return static_cast<std::uint32_t>(value >> life_shift); }
  constexpr bool filled() const { return (life() & 1) != 0; }
  static constexpr lock_word of(std::uint32_t life, table_holder h) {
    return {static_cast<std::uint64_t>(life & life_mask) << life_shift |
            static_cast<std::uint32_t>(h)};
  }
};

/// One record. The first line is what every operation touches, the second only those that wait.
struct alignas(64) table_slot {
  table_word lock;  ///< see lock_word
  table_word
      current;  ///< stores of this life << 1 | buffer with the content; written by the holder
  table_word locked_at;  ///< milliseconds of the coarse monotonic clock; by the holder, for people
  table_word locks;      ///< how often it was locked, in all lives; by the holder
  table_word base_rsn;   ///< rsn at the beginning of this life; every store adds one
  std::atomic<std::uint32_t> chunk;     ///< first word of the chunk in the area
  std::atomic<std::uint32_t> capacity;  ///< bytes of each data buffer, a multiple of 8
  std::atomic<std::uint32_t> key_length;
  std::atomic<std::uint32_t> flags;       ///< of the record's header
  std::atomic<std::uint32_t> wake;        ///< what waiters sleep on: counts up at every wake-up
  std::atomic<std::uint16_t> queue_head;  ///< where the search for the heir begins; by the holder
  /// 1: somebody has read the record without a lock since the node last looked; by readers, and by the node back to 0.
  std::atomic<std::uint16_t> read_lately;

  static constexpr std::size_t queue_length = 8;
  /// Who has waited too long, in the order in which they are served; a holder, or 0.
  std::array<table_word, queue_length> queue;
};
static_assert(sizeof(table_slot) == 128);

inline constexpr std::size_t table_ways = 8;
struct alignas(64) table_set {
  std::array<table_word, table_ways> tags;  ///< hash of the key in that slot; 0: empty
  std::array<table_slot, table_ways> slots;
};

inline constexpr std::uint64_t table_magic = 0x31304c4254454c46;  // "FLETBL01"
inline constexpr std::size_t table_counters = 16;

struct table_head {
  std::uint64_t magic, sets, area_words, total_bytes;  ///< written once, before anybody maps it
  std::uint64_t database;  ///< its id, too: whoever has several tables can tell them apart
  alignas(64) std::atomic<std::uint32_t> closed;  ///< no new lock may succeed
  /// Up to this moment (microseconds, monotonic) the node answers for the table; it says so again and again. A node that
  /// is stopped, hangs or is gone falls silent, and before others take over what it owned nothing is locked or stored here.
  table_word answered_for_until_us;
  /// Whom the node takes for connected: at the client's place its number. Looked at by a client after it has written its
  /// lock, as *closed* is: who was disconnected and does not know it yet can lock nothing any more.
  alignas(64) std::array<std::atomic<std::uint32_t>, table_client_places> admitted;
  std::array<std::atomic<std::int32_t>, table_client_places>
      processes;  ///< theirs, to name who holds a lock
  struct alignas(64) counter {
    table_word value;
  };
  /// The sequence number of the database is their sum: every store counts in one of them, by its client's number, so
  /// that clients do not wait for one line of memory.
  std::array<counter, table_counters> stores;
};

/// Whether the node has fallen silent.
inline bool silent(const table_head& h, std::uint64_t now_us) {
  return now_us > h.answered_for_until_us.load(std::memory_order_seq_cst);
}
/// Whether a lock that has just been written may stand.
inline bool may_lock(const table_head& h, table_holder who, std::uint64_t now_us) {
  const auto client = client_of(who);
  return h.closed.load() == 0 && h.admitted[client % table_client_places].load() == client &&
         !silent(h, now_us);
}

/// The sizes of a table; kept privately by everybody who uses it.
struct table_size {
  std::uint32_t sets = 512;             ///< a power of two; 8 records each
  std::uint32_t area_words = 1U << 20;  ///< 8 MiB; a power of two
  constexpr std::size_t total() const {
    return sizeof(table_head) + sets * sizeof(table_set) + std::size_t{area_words} * 8;
  }
  constexpr bool sound() const {
    return sets > 0 && sets <= 1U << 20 && (sets & (sets - 1)) == 0 && area_words >= 128 &&
           area_words <= 1U << 28 && (area_words & (area_words - 1)) == 0;
  }
};

constexpr std::size_t words_for(std::size_t octets) { return (octets + 7) / 8; }

/// The hash that places a key in the table; never 0. Not the cluster's: that one is slower and means something else.
std::uint64_t table_hash(byte_view key);

/// Copies between private memory and words that others may write at the same time: word by word, so that whoever checks
/// a sequence afterwards has had no undefined behaviour before.
void copy_in(table_word* to, byte_view from);
void copy_out(char* to, const table_word* from, std::size_t octets);
bool equal(const table_word* words, byte_view key);

}  // namespace floe
