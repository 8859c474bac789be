#include "tests/actors/sim_cluster.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace floe::test {

sim_cluster::sim_cluster(std::size_t n, std::uint64_t seed, options o)
    : cluster_({.nodes = n,
                .seed = seed,
                .cluster_lock = o.cluster_lock,
                .log = [this](std::int64_t us, std::size_t node, log_level level,
                              std::string_view line) {
                  log_.push_back(std::to_string(us) + " " + std::to_string(node) + " " +
                                 std::string(to_string(level)) + " " + std::string(line));
                  if (::getenv("FLOE_SIM_LOG")) std::fprintf(stderr, "%s\n", log_.back().c_str());
                }}) {
  for (std::size_t i = 0; i < n && o.start; ++i) start(i);
}

void sim_cluster::start(std::size_t n) {
  REQUIRE_FALSE(alive(n));
  cluster_.start(n);
}

std::size_t sim_cluster::leader() {
  for (std::size_t i = 0; i < size(); ++i)
    if (alive(i)) return nlohmann::json::parse(status(i))["leader"].get<std::size_t>();
  return 0;
}

client& sim_cluster::connect(std::size_t n, bool record_tables) {
  auto& c = guests_.emplace_back(loop(), cluster_.client_network());
  bool up = false;
  c.connect({.socket = config(n).socket, .process = 0, .record_tables = record_tables},
            {.connected = [&](pnn) { up = true; }});
  REQUIRE(run([&] { return up; }, 10s));
  return c;
}

void sim_cluster::disconnect(client& c) {
  guests_.remove_if([&](const client& g) { return &g == &c; });
}

std::string sim_cluster::status(std::size_t n) {
  auto& c = connect(n);
  std::string text;
  bool done = false;
  c.control<control::get_node_status>(pnn::current, {}, 10s, [&](const auto& r) {
    REQUIRE(r.has_value());
    text = std::string(r->value.value);
    done = true;
  });
  REQUIRE(run([&] { return done; }, 20s));
  disconnect(c);
  return text;
}

bool sim_cluster::normal() {
  std::optional<std::uint64_t> generation;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!alive(i)) continue;
    const auto s = nlohmann::json::parse(status(i));
    if (s["recovery_mode"] != "NORMAL" || s["runstate"] != "RUNNING") return false;
    for (const auto& d : s["databases"])
      if (d["state"] != "thawed" || d["generation"] != s["generation"]) return false;
    for (std::size_t j = 0; j < std::min(size(), s["nodes"].size()); ++j) {
      const bool out = s["nodes"][j]["flags"].get<unsigned>() & 1;
      if (out == alive(j)) return false;
    }
    const auto g = s["generation"].get<std::uint64_t>();
    if (generation && *generation != g) return false;
    generation = g;
  }
  return true;
}

bool sim_cluster::settle(duration limit) {
  const auto end = loop_now() + limit;
  while (loop_now() < end) {
    if (normal()) return true;
    cluster_.pass(50ms);
  }
  return false;
}

// --- one thing at a time ---------------------------------------------------------------------------------------

namespace {
template <class T, class Start>
T now(sim_cluster& c, Start start) {
  std::optional<result<T>> got;
  start([&](const result<T>& r) { got = r; });
  REQUIRE(c.run([&] { return got.has_value(); }, 60s));
  INFO((got->has_value() ? "" : got->error().describe()));
  REQUIRE(got->has_value());
  if constexpr (!std::is_void_v<T>) return std::move(**got);
}
}  // namespace

db_id attach_now(sim_cluster& s, client& c, const std::string& name) {
  return now<db_id>(s, [&](auto done) { attach(c, name, db_kind::volatile_db, 30s, done); });
}
locked_record lock_now(sim_cluster& s, client& c, db_id db, const std::string& key) {
  return now<locked_record>(s, [&](auto done) { lock_record(c, db, key, 30s, done); });
}
void store_now(sim_cluster& s, client& c, std::uint64_t lock, const std::string& data,
               after_write w) {
  now<void>(s, [&](auto done) { store_record(c, lock, data, w, 30s, done); });
}
void unlock_now(sim_cluster& s, client& c, std::uint64_t lock) {
  now<void>(s, [&](auto done) { unlock_record(c, lock, 30s, done); });
}
read_record_answer read_now(sim_cluster& s, client& c, db_id db, const std::string& key,
                            read_from from) {
  return now<read_record_answer>(s, [&](auto done) { read_record(c, db, key, from, 30s, done); });
}
void write_now(sim_cluster& s, client& c, db_id db, const std::string& key,
               const std::string& data) {
  const auto held = lock_now(s, c, db, key);
  store_now(s, c, held.lock_id, data);
}

}  // namespace floe::test
