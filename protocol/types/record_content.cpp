#include "protocol/types/record_content.hpp"

#include "protocol/wire/json.hpp"
#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<server_id>) {
  return wire::record(
      "server_id", wire::field("pid", &server_id::pid), wire::field("task_id", &server_id::task_id),
      wire::field("vnn", &server_id::vnn), wire::field("unique_id", &server_id::unique_id));
}

/// Other values than the two are an error.
struct g_lock_type_row {
  static constexpr std::size_t min_size = 4;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  void put(wire::writer& w, const g_lock& v) const { w.number(v.type); }
  void get(wire::reader& r, g_lock& v) const {
    const std::size_t place = r.offset();
    v.type = r.number<g_lock_type>("type");
    if (v.type != g_lock_type::read && v.type != g_lock_type::write) {
      r.fail_at(place, "type", wire::fault::bad_value, 1, static_cast<std::uint32_t>(v.type));
    }
  }
  void show(wire::sink& s, const g_lock& v) const { s.show("type", wire::to_scalar(v.type), 4); }
  void make(wire::generator& g, g_lock& v) const {
    v.type = g.coin() ? g_lock_type::read : g_lock_type::write;
  }
  std::size_t size(const g_lock&) const { return min_size; }
};

constexpr auto layout(wire::of<g_lock>) {
  return wire::record("g_lock", g_lock_type_row{}, wire::zero<4>(),
                      wire::field("holder", &g_lock::holder));
}

/// Locks without a count: as many as there is data for.
struct g_locks_row {
  static constexpr std::size_t min_size = 0;
  static constexpr bool fixed = false;
  static constexpr bool takes_rest = true;
  void put(wire::writer& w, const g_lock_list& v) const {
    for (const g_lock& l : v.locks) wire::codec<g_lock>::put(w, l);
  }
  void get(wire::reader& r, g_lock_list& v) const {
    v.locks.resize(r.left() / g_lock::wire_size);
    for (g_lock& l : v.locks) wire::codec<g_lock>::get(r, l);
  }
  void show(wire::sink& s, const g_lock_list& v) const {
    s.begin_list("locks");
    for (const g_lock& l : v.locks) wire::codec<g_lock>::show(s, "", l);
    s.end();
  }
  void make(wire::generator& g, g_lock_list& v) const {
    v.locks.resize(g.below(4));
    for (g_lock& l : v.locks) l = wire::codec<g_lock>::make(g);
  }
  std::size_t size(const g_lock_list& v) const { return v.locks.size() * g_lock::wire_size; }
};

constexpr auto layout(wire::of<g_lock_list>) { return wire::record("g_lock_list", g_locks_row{}); }

template struct wire::codec<server_id>;
template struct wire::codec<g_lock>;
template struct wire::codec<g_lock_list>;

bytes transaction_lock_key(db_id db) {
  bytes key = "transaction_db_0x" + wire::hex64_text(number(db)).substr(10);
  key.push_back('\0');
  return key;
}

}  // namespace floe
