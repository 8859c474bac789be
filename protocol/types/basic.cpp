#include "protocol/types/basic.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<timeval>) {
  return wire::record("timeval", wire::field("sec", &timeval::sec, &seconds_text),
                      wire::field("usec", &timeval::usec));
}

constexpr auto layout(wire::of<latency>) {
  return wire::record("latency", wire::field("num", &latency::num), wire::junk<4>(),
                      wire::field("min", &latency::min), wire::field("max", &latency::max),
                      wire::field("total", &latency::total));
}

namespace wire {

/// Shown as "there is nothing".
struct nothing_row {
  static constexpr std::size_t min_size = 0;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;
  const char* name = "";
  void put(writer&, const nothing&) const {}
  void get(reader&, nothing&) const {}
  void show(sink& s, const nothing&) const { s.show(name, scalar{}, 0); }
  void make(generator&, nothing&) const {}
  std::size_t size(const nothing&) const { return 0; }
};

constexpr auto layout(of<nothing>) { return bare("-", nothing_row{}); }
constexpr auto layout(of<string>) {
  return bare("string", rest<rest_kind::string>("", &string::value));
}
constexpr auto layout(of<text>) { return bare("text", rest<rest_kind::text>("", &text::value)); }
constexpr auto layout(of<octets>) {
  return bare("bytes", rest<rest_kind::octets>("", &octets::value));
}

constexpr auto layout(of<std::uint32_t>) { return bare("u32", whole_row<std::uint32_t>{}); }
constexpr auto layout(of<std::int32_t>) { return bare("i32", whole_row<std::int32_t>{}); }
constexpr auto layout(of<std::uint64_t>) { return bare("u64", whole_row<std::uint64_t>{}); }
constexpr auto layout(of<double>) { return bare("f64", whole_row<double>{}); }
constexpr auto layout(of<process_id>) { return bare("pid", whole_row<process_id>{}); }
constexpr auto layout(of<db_id>) { return bare("u32", whole_row<db_id>{}); }
constexpr auto layout(of<pnn>) { return bare("u32", whole_row<pnn>{}); }
constexpr auto layout(of<generation>) { return bare("u32", whole_row<generation>{}); }
constexpr auto layout(of<recovery_mode>) { return bare("u32", whole_row<recovery_mode>{}); }
constexpr auto layout(of<runstate>) { return bare("u32", whole_row<runstate>{}); }
constexpr auto layout(of<debug_level>) { return bare("i32", whole_row<debug_level>{}); }
constexpr auto layout(of<srvid>) { return bare("u64", whole_row<srvid>{}); }

template struct codec<nothing>;
template struct codec<string>;
template struct codec<text>;
template struct codec<octets>;
template struct codec<std::uint32_t>;
template struct codec<std::int32_t>;
template struct codec<std::uint64_t>;
template struct codec<double>;
template struct codec<process_id>;
template struct codec<db_id>;
template struct codec<pnn>;
template struct codec<generation>;
template struct codec<recovery_mode>;
template struct codec<runstate>;
template struct codec<debug_level>;
template struct codec<srvid>;
template struct codec<timeval>;
template struct codec<latency>;

}  // namespace wire
}  // namespace floe
