#include "tests/actors/sim_cluster.hpp"

#include "actors/node/nodes_file.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace floe::test {

namespace fs = std::filesystem;

namespace {
/// Memory, where there is some: hundreds of small clusters are made and thrown away.
fs::path scratch() { return fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path(); }
}  // namespace

sim_cluster::sim_cluster(std::size_t n, std::uint64_t seed, options o)
    : dir_(scratch() / ("floe-sim-" + std::to_string(::getpid()) + "-" + std::to_string(seed))),
      loop_(event_loop::simulated(seed)), switch_(std::make_unique<sim_switch>(*loop_)),
      locks_(std::make_unique<sim_lock_store>(*loop_)) {
  fs::remove_all(dir_);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < n; ++i) {
    nodes_.push_back(make_host(i));
    lines.push_back(nodes_.back().ip);
    if (o.cluster_lock) nodes_.back().config.cluster_lock = "/shared/lock";
  }
  write_nodes_file(lines);
  for (std::size_t i = 0; i < n && o.start; ++i) start(i);
}

sim_cluster::host sim_cluster::make_host(std::size_t n) const {
  const auto base = (dir_ / ("node." + std::to_string(n))).string();
  host h{.ip = "10.0.0." + std::to_string(n + 1), .config = {}, .up = nullptr};
  h.config.base = base;
  h.config.self = pnn{static_cast<std::uint32_t>(n)};
  h.config.nodes_file = base + "/nodes";
  h.config.socket = base + "/ctdbd.socket";
  h.config.volatile_dir = base + "/volatile";
  h.config.persistent_dir = base + "/persistent";
  h.config.state_dir = base + "/state";
  for (const auto& d : {h.config.volatile_dir, h.config.persistent_dir, h.config.state_dir}) fs::create_directories(d);
  return h;
}

std::size_t sim_cluster::add_host() {
  nodes_.push_back(make_host(nodes_.size()));
  return nodes_.size() - 1;
}

void sim_cluster::write_nodes_file(const std::vector<std::string>& lines) {
  for (const auto& h : nodes_) {
    std::ofstream out(h.config.nodes_file);
    for (const auto& line : lines) out << line << '\n';
  }
}

void sim_cluster::hang(std::size_t n) {
  for (const auto& other : nodes_)
    if (other.ip != nodes_[n].ip) switch_->cut(nodes_[n].ip, other.ip);
}

std::size_t sim_cluster::leader() {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (alive(i)) return nlohmann::json::parse(status(i))["leader"].get<std::size_t>();
  return 0;
}

sim_cluster::~sim_cluster() {
  guests_.clear();
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (alive(i)) kill(i);
  loop_->settle();
  fs::remove_all(dir_);
}

void sim_cluster::start(std::size_t n) {
  auto& h = nodes_[n];
  REQUIRE(!h.up);
  const auto lines = read_nodes_file(h.config.nodes_file, 4379);
  REQUIRE(lines.has_value());
  h.config.nodes = *lines;
  h.up = std::make_unique<living>();
  auto& l = *h.up;
  l.net = switch_->attach(h.ip);
  l.log = function_log([this, n](log_level level, std::string_view line) {
    log_.push_back(std::to_string(loop_->now().time_since_epoch() / 1us) + " " + std::to_string(n) + " " +
                   std::string(to_string(level)) + " " + std::string(line));
    if (::getenv("FLOE_SIM_LOG")) std::fprintf(stderr, "%s\n", log_.back().c_str());
  });
  l.locks = locks_->attach(h.ip);
  struct checks final : file_checks {
    explicit checks(std::function<bool(const std::string&)> f) : is_damaged(std::move(f)) {}
    void check(const std::string& file, std::function<void(file_verdict)> done) override {
      if (is_damaged(file)) return done(health_report{false, 0, "a page is damaged"});
      done(check_file(file));
    }
    std::function<bool(const std::string&)> is_damaged;
  };
  l.checks = std::make_unique<checks>([this, n](const std::string& file) {
    const auto name = fs::path(file).stem().string();  // without the node's number
    return damaged_.erase({n, name}) > 0;
  });
  l.actors = std::make_unique<actor_runtime>(*loop_);
  l.node = start_node({.loop = *loop_, .actors = *l.actors, .net = *l.net, .log = *l.log, .count = l.count, .ids = l.ids,
                       .self = h.config.self, .checks = l.checks.get(), .locks = l.locks.get()},
                      h.config, [] {});
}

void sim_cluster::kill(std::size_t n) {
  auto& h = nodes_[n];
  switch_->kill(h.ip);
  h.up->node = {};
  h.up->actors.reset();
  h.up.reset();
}

client& sim_cluster::connect(std::size_t n) {
  guests_.push_back({switch_->attach("client-" + std::to_string(guests_.size())), nullptr});
  auto& g = guests_.back();
  g.client = std::make_unique<floe::client>(*loop_, *g.net);
  bool up = false;
  g.client->connect({.socket = nodes_[n].config.socket, .process = 0}, {.connected = [&](pnn) { up = true; }});
  REQUIRE(run([&] { return up; }, 10s));
  return *g.client;
}

void sim_cluster::disconnect(client& c) {
  std::erase_if(guests_, [&](const guest& g) { return g.client.get() == &c; });
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
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!alive(i)) continue;
    const auto s = nlohmann::json::parse(status(i));
    if (s["recovery_mode"] != "NORMAL" || s["runstate"] != "RUNNING") return false;
    for (const auto& d : s["databases"])
      if (d["state"] != "thawed" || d["generation"] != s["generation"]) return false;
    for (std::size_t j = 0; j < std::min(nodes_.size(), s["nodes"].size()); ++j) {
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
  const auto end = loop_->now() + limit;
  while (loop_->now() < end) {
    if (normal()) return true;
    const auto next = loop_->now() + 50ms;
    loop_->run_until([&] { return loop_->now() >= next; }, 50ms);
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
void store_now(sim_cluster& s, client& c, std::uint64_t lock, const std::string& data, after_write w) {
  now<void>(s, [&](auto done) { store_record(c, lock, data, w, 30s, done); });
}
void unlock_now(sim_cluster& s, client& c, std::uint64_t lock) {
  now<void>(s, [&](auto done) { unlock_record(c, lock, 30s, done); });
}
read_record_answer read_now(sim_cluster& s, client& c, db_id db, const std::string& key, read_from from) {
  return now<read_record_answer>(s, [&](auto done) { read_record(c, db, key, from, 30s, done); });
}
void write_now(sim_cluster& s, client& c, db_id db, const std::string& key, const std::string& data) {
  const auto held = lock_now(s, c, db, key);
  store_now(s, c, held.lock_id, data);
}

}  // namespace floe::test
