#include "cli/replay/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/cluster/processes.hpp"
#include "cli/cluster/wait_healthy.hpp"
#include "protocol/types/basic.hpp"

namespace floe::cli {

using nlohmann::json;

bool node_view::is_normal() const { return report.value("recovery_mode", "") == "NORMAL"; }
std::uint32_t node_view::generation() const { return report.value("generation", 0U); }
std::optional<std::size_t> node_view::leader() const {
  const auto l = report.value("leader", json());
  if (!l.is_number_unsigned()) return std::nullopt;
  return l.get<std::size_t>();
}
json node_view::recovery() const { return report.value("recovery", json()); }
json node_view::database(const std::string& name) const {
  for (const auto& d : report.value("databases", json::array()))
    if (d.value("name", "") == name) return d;
  return json::object();
}
std::string node_view::state(const std::string& db) const {
  return database(db).value("state", "");
}

bytes value_of(const bytes& key, const std::string& db, const std::string& word) {
  constexpr std::size_t size = 200;
  bytes v = fmt::format("{} of {}, {} ", key, db, word);
  v.resize(std::max(v.size(), size), '.');
  return v;
}

bool world::expect(bool held, std::string_view text, double ms) {
  return scene.interrupted() ? false : report.expect(held, text, ms);
}

bool world::await(const std::function<bool()>& pleases) {
  if (scene.poll(pleases, patience)) return true;
  out_of_time = !scene.interrupted();
  return false;
}

std::optional<node_view> world::view(std::size_t node) {
  auto r = scene.control<control::get_node_status>(node, {});
  if (!r) return std::nullopt;
  auto j = json::parse(r->value.value, nullptr, false);
  if (!j.is_object()) return std::nullopt;
  return node_view{std::move(j)};
}

bool world::await_view(std::size_t node, const std::function<bool(const node_view&)>& pleases) {
  return await([&] {
    const auto v = view(node);
    return v && pleases(*v);
  });
}

bool world::start_node(std::size_t n) {
  auto pid = start_node_process(cluster, static_cast<std::uint32_t>(n));
  if (pid) pids[n] = *pid;
  return pid || expect(false, fmt::format("node {} starts: {}", n, pid.error()));
}

bool world::become_healthy() {
  const auto took =
      wait_healthy(cluster, pids, 2 * patience, [this](const std::vector<node_health>& all) {
        const auto well = std::ranges::count_if(all, &node_health::healthy);
        report.progress("nodes are healthy", static_cast<std::size_t>(well), all.size());
        scene.loop().settle();  // to hear Ctrl-C
        return !scene.interrupted();
      });
  if (!took) {
    out_of_time = took.error().code == timed_out;
    return expect(false, fmt::format("{} nodes are healthy: {}", nodes, took.error().text));
  }
  return expect(true,
                fmt::format("{} nodes are healthy: {} to {}, port {}", nodes, cluster.address(0),
                            cluster.address(nodes - 1), cluster.port),
                std::chrono::duration<double, std::milli>(*took).count());
}

bool world::connect() {
  std::vector<std::string> sockets;
  for (std::uint32_t i = 0; i < nodes; ++i) sockets.push_back(cluster.socket(i));
  const auto r = scene.connect(sockets, patience);
  return r || expect(false, "clients connect: " + r.error().describe());
}

bool world::hold_recovery(const std::string& phase) {
  for (const std::size_t n : {home, far})
    if (const auto r = scene.control<control::set_hold_phase>(n, {phase}); !r)
      return expect(false, fmt::format("node {} holds recoveries: {}", n, r.error().describe()));
  return true;
}

const puppet::answer* world::smbd_answer(const std::string& line) {
  scene.run_until([&] { return smbd->answer_to(line) != nullptr; }, patience);
  return smbd->answer_to(line);
}

bool world::smbd_does(const std::string& line) {
  smbd->tell(line);
  const auto* a = smbd_answer(line);
  return a && a->ok;
}

std::vector<timed_event> world::events_since_kill(const std::vector<std::size_t>& from) {
  std::vector<timed_event> all;
  const auto wanted = fmt::format("{{\"since_us\":{}}}", killed_us);
  for (const auto n : from)
    if (const auto r = scene.control<control::get_timeline>(n, {wanted}))
      add_events(all, r->value.value);
  sort_events(all);
  return all;
}

}  // namespace floe::cli
