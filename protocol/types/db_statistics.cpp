#include "protocol/types/db_statistics.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<lock_counts>) {
  return wire::record("lock_counts", wire::field("num_calls", &lock_counts::num_calls),
                      wire::field("num_current", &lock_counts::num_current),
                      wire::field("num_pending", &lock_counts::num_pending),
                      wire::field("num_failed", &lock_counts::num_failed));
}

/// The number of keys, ten entries (count, padding, what was a pointer, key length), then the keys
/// without gaps. All ten entries are there even if fewer are in use.
struct hot_keys_row {
  static constexpr std::size_t entry_size = 24;
  static constexpr std::size_t entries = db_statistics::hot_keys_max;
  static constexpr std::size_t min_size = 8 + entries * entry_size;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = false;

  /// Keys beyond the number of hot keys are not sent.
  static byte_view key_of(const db_statistics& v, std::size_t i) {
    return i < v.num_hot_keys ? v.hot_keys[i].key : byte_view{};
  }

  void put(wire::writer& w, const db_statistics& v) const {
    w.number(v.num_hot_keys);
    w.zeros(4);
    for (std::size_t i = 0; i < entries; ++i) {
      w.number(v.hot_keys[i].count);
      w.zeros(12);
      w.number(std::uint64_t{key_of(v, i).size()});
    }
    for (std::size_t i = 0; i < entries; ++i) w.raw(key_of(v, i));
  }
  void get(wire::reader& r, db_statistics& v) const {
    const std::size_t start = r.offset();
    v.num_hot_keys = r.number<std::uint32_t>("num_hot_keys");
    if (v.num_hot_keys > entries) {
      r.fail_at(start, "num_hot_keys", wire::fault::bad_value, entries, v.num_hot_keys);
    }
    r.skip("padding", 4);
    std::array<std::uint64_t, entries> sizes{};
    for (std::size_t i = 0; i < entries; ++i) {
      v.hot_keys[i].count = r.number<std::uint32_t>("hot_keys");
      r.skip("padding", 12);
      sizes[i] = r.number<std::uint64_t>("keylen");
    }
    for (std::size_t i = 0; i < entries && i < v.num_hot_keys; ++i) {
      v.hot_keys[i].key = r.take("key", sizes[i]);
    }
  }
  void show(wire::sink& s, const db_statistics& v) const {
    using wire::scalar;
    s.show("num_hot_keys", scalar::number(v.num_hot_keys), 4);
    s.pad(4);
    s.begin_list("hot_keys");
    const std::size_t first = s.at();
    std::size_t keys = first + entries * entry_size;
    for (std::size_t i = 0; i < entries; ++i) {
      const hot_key& k = v.hot_keys[i];
      s.begin_object("");
      s.move_to(first + i * entry_size);
      s.show("count", scalar::number(k.count), 4);
      s.pad(12);
      s.show("keylen", scalar::number(key_of(v, i).size()), 8);
      s.move_to(keys);
      s.show("key", scalar::blob(key_of(v, i)), key_of(v, i).size());
      keys = s.at();
      s.end();
    }
    s.end();
    s.move_to(keys);
  }
  void make(wire::generator& g, db_statistics& v) const {
    v.num_hot_keys = static_cast<std::uint32_t>(g.below(entries + 1));
    for (std::size_t i = 0; i < v.num_hot_keys; ++i) {
      v.hot_keys[i] = {static_cast<std::uint32_t>(g.number(4)), g.octets(20)};
    }
  }
  std::size_t size(const db_statistics& v) const {
    std::size_t n = min_size;
    for (std::size_t i = 0; i < entries; ++i) n += key_of(v, i).size();
    return n;
  }
};

constexpr auto layout(wire::of<db_statistics>) {
  return wire::record("db_statistics", wire::field("locks", &db_statistics::locks),
                      wire::field("locks_latency", &db_statistics::locks_latency),
                      wire::field("locks_buckets", &db_statistics::locks_buckets),
                      wire::field("vacuum_latency", &db_statistics::vacuum_latency),
                      wire::field("db_ro_delegations", &db_statistics::db_ro_delegations),
                      wire::field("db_ro_revokes", &db_statistics::db_ro_revokes),
                      wire::field("hop_count_bucket", &db_statistics::hop_count_bucket),
                      hot_keys_row{});
}

template struct wire::codec<lock_counts>;
template struct wire::codec<db_statistics>;

}  // namespace floe
