#include "actors/sim/simulated_cluster.hpp"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "actors/node/membership/nodes_file.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t port = 4379;

/// The place of a run differs from run to run; what happens in it does not.
std::string without(std::string_view line, const std::string& place) {
  std::string out(line);
  for (auto at = out.find(place); at != std::string::npos; at = out.find(place, at))
    out.replace(at, place.size(), "");
  return out;
}

/// Looks at the files as they are, but for those that are to be found damaged.
class arranged_checks final : public file_checks {
 public:
  explicit arranged_checks(std::function<bool(const std::string&)> damaged)
      : damaged_(std::move(damaged)) {}
  void check(const std::string& file, std::function<void(file_verdict)> done) override {
    if (damaged_(file)) return done(health_report{false, 0, "a page is damaged"});
    done(check_file(file));
  }

 private:
  std::function<bool(const std::string&)> damaged_;
};

}  // namespace

simulated_cluster::simulated_cluster(simulation_options o)
    : options_(std::move(o)),
      loop_(event_loop::simulated(options_.seed)),
      switch_(std::make_unique<sim_switch>(*loop_)),
      locks_(std::make_unique<sim_lock_store>(*loop_)),
      invariants_(
          std::make_unique<invariants>(*loop_, [this](const std::string& line) { clash(line); })) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    add_host();
    lines.push_back(hosts_.back().ip);
  }
  write_nodes_file(lines);
}

simulated_cluster::host simulated_cluster::make_host(std::size_t n) const {
  const auto base = (dir_.path() / ("node." + std::to_string(n))).string();
  host h{.ip = "10.0.0." + std::to_string(n + 1),
         .config = {},
         .disk = std::make_unique<scripted_faults>(),
         .up = nullptr};
  h.config.base = base;
  h.config.self = pnn{static_cast<std::uint32_t>(n)};
  h.config.nodes_file = base + "/nodes";
  h.config.socket = base + "/ctdbd.socket";
  h.config.volatile_dir = base + "/volatile";
  h.config.persistent_dir = base + "/persistent";
  h.config.state_dir = base + "/state";
  for (const auto& d : {h.config.volatile_dir, h.config.persistent_dir, h.config.state_dir})
    fs::create_directories(d);
  if (options_.cluster_lock) h.config.cluster_lock = "/shared/lock";
  h.config.quorum = options_.quorum;
  h.config.witness = invariants_.get();
  if (options_.configure) options_.configure(h.config);
  return h;
}

std::size_t simulated_cluster::add_host() {
  hosts_.push_back(make_host(hosts_.size()));
  return hosts_.size() - 1;
}

void simulated_cluster::write_nodes_file(const std::vector<std::string>& lines) {
  for (const auto& h : hosts_) {
    std::ofstream out(h.config.nodes_file);
    for (const auto& line : lines) out << line << '\n';
  }
}

simulated_cluster::~simulated_cluster() {
  for (std::size_t i = 0; i < hosts_.size(); ++i)
    if (alive(i)) kill(i);
  loop_->settle();
}

std::int64_t simulated_cluster::now_us() const {
  return in_us(now().time_since_epoch()) - 1'000'000;
}

void simulated_cluster::start(std::size_t n) {
  auto& h = hosts_[n];
  assert(!h.up);
  const auto nodes = read_nodes_file(h.config.nodes_file, port);
  assert(nodes);
  h.config.nodes = *nodes;
  h.config.verify_recoveries = true;
  h.up = std::make_unique<living>();
  auto& l = *h.up;
  l.loop = &loops_.emplace_back(*loop_, options_.seed * 1'000'003 + ++starts_);
  l.loop->set_skew(h.skew);
  l.loop->set_disk_delay(h.disk_delay);
  l.net = switch_->attach(h.ip);
  l.log = function_log([this, n](log_level level, std::string_view line) {
    if (options_.log) options_.log(now_us(), n, level, without(line, dir_.path().string()));
  });
  l.locks = locks_->attach(h.ip);
  l.checks = std::make_unique<arranged_checks>([this, n](const std::string& file) {
    const auto database = fs::path(file).stem().string();  // without the node's number
    return damaged_.erase({n, database}) > 0;
  });
  l.actors = std::make_unique<actor_runtime>(*l.loop);
  l.node = start_node({.loop = *l.loop,
                       .actors = *l.actors,
                       .net = *l.net,
                       .log = *l.log,
                       .count = l.count,
                       .ids = l.ids,
                       .self = h.config.self,
                       .checks = l.checks.get(),
                       .locks = l.locks.get(),
                       .disk = h.disk.get()},
                      h.config, [&l](const std::string&) { l.stopped = true; });
}

void simulated_cluster::kill(std::size_t n) {
  auto& h = hosts_[n];
  assert(h.up);
  switch_->kill(h.ip);
  h.up->loop->die();
  h.up->node = {};
  h.up->actors.reset();
  h.up.reset();
  invariants_->gone(h.config.self);
}

bool simulated_cluster::shut_down(std::size_t n, duration limit) {
  auto& l = *hosts_[n].up;
  l.node.tell(leave_node{});
  const bool stopped = run([&l] { return l.stopped; }, limit);
  kill(n);
  return stopped;
}

void simulated_cluster::clash(const std::string& line) const {
  if (options_.clash) return options_.clash(line);
  std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(options_.seed),
               line.c_str());
  std::abort();
}

void simulated_cluster::pause(std::size_t n) { hosts_[n].up->loop->pause(); }
void simulated_cluster::resume(std::size_t n) { hosts_[n].up->loop->resume(); }

void simulated_cluster::set_disk_delay(std::size_t n, duration d) {
  hosts_[n].disk_delay = d;
  if (alive(n)) hosts_[n].up->loop->set_disk_delay(d);
}

void simulated_cluster::set_skew(std::size_t n, duration d) {
  hosts_[n].skew = d;
  if (alive(n)) hosts_[n].up->loop->set_skew(d);
}

void simulated_cluster::isolate(std::size_t n) { split({n}); }

void simulated_cluster::split(const std::vector<std::size_t>& side) {
  const auto here = [&](std::size_t n) { return std::ranges::find(side, n) != side.end(); };
  for (std::size_t a = 0; a < size(); ++a)
    for (std::size_t b = a + 1; b < size(); ++b)
      if (here(a) != here(b)) switch_->cut(ip(a), ip(b));
}

void simulated_cluster::bridge(std::size_t middle, const std::vector<std::size_t>& side) {
  split(side);
  for (std::size_t n = 0; n < size(); ++n)
    if (n != middle) switch_->heal(ip(n), ip(middle));
}

void simulated_cluster::pass(duration d) {
  loop_->run_until([] { return false; }, d);
}

network& simulated_cluster::client_network() {
  client_networks_.push_back(switch_->attach("client-" + std::to_string(client_networks_.size())));
  return *client_networks_.back();
}

}  // namespace floe
