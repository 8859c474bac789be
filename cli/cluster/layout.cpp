#include "cli/cluster/layout.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <utility>

#include "actors/lock/cluster_lock.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint16_t usual_port = 4379;
constexpr std::uint32_t most_nodes = 250;
constexpr int tries = 200;
constexpr const char* names_no_nodes =
    " does not say which nodes there are: if nothing in that directory is needed, remove it";

std::string remembered(const std::string& dir) { return dir + "/cluster.json"; }

bool can_bind(const std::string& ip, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  const bool good = ::inet_pton(AF_INET, ip.c_str(), &a.sin_addr) == 1 &&
                    ::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0;
  ::close(fd);
  return good;
}

bool all_free(const local_cluster& c) {
  for (std::uint32_t i = 0; i < c.nodes; ++i)
    if (!can_bind(c.address(i), c.port)) return false;
  return true;
}

/// Somewhere in 127/8 where nobody listens. Two clusters that are made at the same time could take
/// the same; the one that is late does not start and says so.
bool find_prefix(local_cluster& c) {
  std::random_device chance;
  std::uniform_int_distribution<int> second(1, 254), third(0, 254);
  for (int i = 0; i < tries; ++i) {
    c.prefix = fmt::format("127.{}.{}", second(chance), third(chance));
    if (all_free(c)) return true;
  }
  return false;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  return static_cast<bool>(out.flush());
}

std::string settings_of(const local_cluster& c, std::uint32_t node, const cluster_options& w) {
  const auto lock = w.cluster_lock.empty() ? c.dir + "/cluster.lock" : w.cluster_lock;
  return fmt::format(
      "[logging]\nlocation = file:{}/log.ctdb\nlog level = NOTICE\n\n"
      "[cluster]\nnode address = {}\n{}\n"
      "[failover]\ndisabled = true\n\n"
      "[floe]\nport = {}\n{}",
      c.base(node), c.address(node), lock == "none" ? "" : "cluster lock = " + lock + "\n", c.port,
      w.extra_settings);
}

std::expected<void, std::string> write_node(const local_cluster& c, std::uint32_t node,
                                            const cluster_options& w) {
  std::error_code problem;
  fs::create_directories(c.base(node), problem);
  if (problem) return std::unexpected(c.base(node) + ": " + problem.message());
  std::string nodes, tunables;
  for (std::uint32_t i = 0; i < c.nodes; ++i) nodes += c.address(i) + "\n";
  for (const auto& [name, value] : w.tunables) tunables += fmt::format("{}={}\n", name, value);
  const std::map<std::string, std::string> files{
      {"/ctdb.conf", settings_of(c, node, w)}, {"/nodes", nodes}, {"/ctdb.tunables", tunables}};
  for (const auto& [name, text] : files)
    if (!write_file(c.base(node) + name, text))
      return std::unexpected(c.base(node) + name + ": cannot be written");
  return {};
}

std::expected<std::string, std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) return std::unexpected(path + ": cannot be read");
  return text;
}

/// The settings of node 0, as another node needs them: its own folder and address.
std::string settings_like(const local_cluster& c, const std::string& first, std::uint32_t node) {
  std::istringstream lines(first);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("node address")) line = "node address = " + c.address(node);
    const auto folder = c.base(0) + "/";
    if (const auto at = line.find(folder); at != line.npos)
      line.replace(at, folder.size(), c.base(node) + "/");
    out += line + "\n";
  }
  return out;
}

std::expected<void, std::string> remember(const local_cluster& c) {
  const json j{{"schema", 1}, {"nodes", c.nodes}, {"address_prefix", c.prefix}, {"port", c.port}};
  if (!write_file(remembered(c.dir), j.dump(1) + "\n"))
    return std::unexpected(remembered(c.dir) + ": cannot be written");
  return {};
}

std::vector<std::string> nodes_listed(const std::string& text) {
  std::istringstream lines(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
}

/// A node that somebody has added by hand: it has a folder beside the others, and the nodes file has the line for it.
bool is_added_by_hand(const local_cluster& c, std::uint32_t node) {
  std::error_code ignored;
  if (!fs::exists(c.base(node) + "/ctdb.conf", ignored)) return false;
  const auto list = read_file(c.base(0) + "/nodes");
  const auto lines = list ? nodes_listed(*list) : std::vector<std::string>();
  return node < lines.size() && (lines[node] == c.address(node) || lines[node].starts_with('#'));
}

/// The nodes file of node 0, with a line for each of so many nodes: those that somebody has put there are kept.
std::expected<std::string, std::string> longer_list(const local_cluster& c, std::uint32_t nodes) {
  const auto list = read_file(c.base(0) + "/nodes");
  if (!list) return list;
  auto lines = nodes_listed(*list);
  for (std::uint32_t i = c.nodes; i < lines.size(); ++i)
    if (lines[i] != c.address(i) || i >= nodes)
      return std::unexpected(
          fmt::format("{}/nodes has {} lines, and its line {} is {}: here are {} nodes, and the "
                      "next ones are {} and "
                      "so on; take the line out of all nodes files first",
                      c.base(0), lines.size(), i + 1, lines[i], c.nodes, c.address(c.nodes)));
  while (lines.size() < nodes) lines.push_back(c.address(static_cast<std::uint32_t>(lines.size())));
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

/// More nodes: each with the settings of node 0; every nodes file gets their lines.
std::expected<void, std::string> grow(local_cluster& c, std::uint32_t nodes) {
  const auto first = c.nodes;
  for (std::uint32_t i = first; i < nodes; ++i)
    if (!can_bind(c.address(i), c.port))
      return std::unexpected(
          fmt::format("{} cannot be used at port {}: taken", c.address(i), c.port));
  const auto settings = read_file(c.base(0) + "/ctdb.conf"),
             tunables = read_file(c.base(0) + "/ctdb.tunables");
  const auto list = longer_list(c, nodes);
  for (const auto* file : {&settings, &tunables, &list})
    if (!*file) return std::unexpected(file->error());
  std::error_code problem;
  for (std::uint32_t i = first; i < nodes; ++i) {
    fs::create_directories(c.base(i), problem);
    if (problem || !write_file(c.base(i) + "/ctdb.conf", settings_like(c, *settings, i)) ||
        !write_file(c.base(i) + "/ctdb.tunables", *tunables))
      return std::unexpected(c.base(i) + ": cannot be written");
  }
  c.nodes = nodes;
  for (std::uint32_t i = 0; i < nodes; ++i)
    if (!write_file(c.base(i) + "/nodes", *list))
      return std::unexpected(c.base(i) + "/nodes: cannot be written");
  return remember(c);
}

/// The wish that contradicts what is there, if any.
std::string contradiction(const local_cluster& c, const cluster_options& w) {
  if (w.nodes && *w.nodes < c.nodes) return fmt::format("has {} nodes", c.nodes);
  if (w.nodes && *w.nodes > most_nodes) return fmt::format("can have {} nodes at most", most_nodes);
  if (!w.prefix.empty() && w.prefix != c.prefix) return "has the addresses " + c.prefix + ".*";
  if (w.port && *w.port != c.port) return fmt::format("has port {}", c.port);
  return {};
}

}  // namespace

std::expected<local_cluster, std::string> open_cluster(const std::string& dir) {
  std::error_code ignored;
  const auto absolute = fs::absolute(dir, ignored).lexically_normal().string();
  std::ifstream in(remembered(absolute));
  if (!in)
    return std::unexpected(dir + ": no cluster is there; `floe cluster up --dir DIR` makes one");
  const auto j = json::parse(in, nullptr, false);
  if (!j.is_object()) return std::unexpected(remembered(dir) + names_no_nodes);
  local_cluster c{.dir = absolute,
                  .nodes = j.value("nodes", 0U),
                  .prefix = j.value("address_prefix", ""),
                  .port = j.value("port", std::uint16_t{0})};
  if (c.nodes == 0 || c.nodes > most_nodes || c.port == 0)
    return std::unexpected(remembered(dir) + names_no_nodes);
  while (c.nodes < most_nodes && is_added_by_hand(c, c.nodes)) ++c.nodes;
  return c;
}

std::expected<local_cluster, std::string> make_cluster(const cluster_options& w) {
  if (std::error_code e; fs::exists(remembered(w.dir), e)) {
    auto c = open_cluster(w.dir);
    if (!c) return c;
    if (const auto what = contradiction(*c, w); !what.empty())
      return std::unexpected(
          fmt::format("the cluster in {} {}; take another --dir, or remove that one", w.dir, what));
    if (w.nodes && *w.nodes > c->nodes)
      if (auto larger = grow(*c, *w.nodes); !larger) return std::unexpected(larger.error());
    return c;
  }
  if (const auto wrong = wrong_lock_setting(w.cluster_lock);
      w.cluster_lock != "none" && !wrong.empty())
    return std::unexpected("--cluster-lock " + w.cluster_lock + ": " + wrong + ", or none");
  std::error_code problem;
  local_cluster c{.dir = fs::absolute(w.dir, problem).lexically_normal().string(),
                  .nodes = w.nodes.value_or(3),
                  .prefix = w.prefix,
                  .port = w.port.value_or(usual_port)};
  if (c.nodes < 1 || c.nodes > most_nodes)
    return std::unexpected(fmt::format("a cluster here has 1 to {} nodes", most_nodes));
  if (c.prefix.empty() && !find_prefix(c))
    return std::unexpected("no free loopback addresses are found");
  if (!w.prefix.empty() && !w.elsewhere && !all_free(c))
    return std::unexpected(
        fmt::format("{} to {} cannot be used at port {}: taken, or not loopback addresses",
                    c.address(0), c.address(c.nodes - 1), c.port));
  for (std::uint32_t i = 0; i < c.nodes; ++i)
    if (auto r = write_node(c, i, w); !r) return std::unexpected(r.error());
  if (auto kept = remember(c); !kept) return std::unexpected(kept.error());
  return c;
}

}  // namespace floe::cli
