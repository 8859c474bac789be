#include "cli/config/node_files.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "actors/node/membership/nodes_file.hpp"
#include "actors/plain_file.hpp"
#include "cli/config/c_number.hpp"
#include "cli/config/database_folders.hpp"
#include "cli/config/settings_file.hpp"
#include "cli/suggest.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

/// Nodes of both kinds must find each other: ctdbd looks the number up, too.
std::uint16_t default_port() {
  constexpr std::uint16_t registered = 4379;
  servent entry{};
  servent* found = nullptr;
  char buffer[1024];
  if (::getservbyname_r("ctdb", "tcp", &entry, buffer, sizeof buffer, &found) != 0 || !found)
    return registered;
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

/// Whether this machine has the address: which of the nodes are we?
bool is_local(const std::string& ip) {
  const bool v6 = ip.find(':') != std::string::npos;
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool bound = false;
  if (v6) {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    ::inet_pton(AF_INET6, ip.c_str(), &a.sin6_addr);
    bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0;
  } else {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    ::inet_pton(AF_INET, ip.c_str(), &a.sin_addr);
    bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0;
  }
  ::close(fd);
  return bound;
}

/// Our number: the line of the configured address, or the first whose address this machine has.
std::expected<pnn, std::string> own_number(const std::vector<configured_node>& nodes,
                                           const std::string& address) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].deleted) continue;
    if (address.empty() ? is_local(nodes[i].where.ip) : nodes[i].where.ip == address)
      return pnn{static_cast<std::uint32_t>(i)};
  }
  if (address.empty())
    return std::unexpected("none of the addresses in the nodes file belongs to this machine");
  return std::unexpected("[cluster] node address = " + address + " is not in the nodes file");
}

/// ctdb.conf, and what a package or an operator has put beside it: ctdb.conf.d/*.conf, in the order of their names. A folder
/// that is there and cannot be read may hold the cluster lock's setting: an error.
std::expected<std::vector<std::string>, std::string> settings_files(const node_places& places) {
  std::vector<std::string> all;
  const auto folder = places.settings + ".d";
  std::error_code problem;
  if (fs::exists(fs::symlink_status(folder, problem))) {
    problem.clear();
    for (fs::directory_iterator e(folder, problem), end; !problem && e != end; e.increment(problem))
      if (e->path().extension() == ".conf") all.push_back(e->path().string());
    if (problem) return std::unexpected(folder + ": cannot be read: " + problem.message());
  }
  std::ranges::sort(all);
  all.insert(all.begin(), places.settings);
  return all;
}

}  // namespace

std::vector<std::string> apply_tunables(std::string_view text, tunable_list& to) {
  std::vector<std::string> errors;
  for (const auto& [s, line] : read_config_lines(text)) {
    if (s.front() == '[') {
      errors.push_back(fmt::format("line {}: this file has no sections: {}", line, excerpt(s)));
      continue;
    }
    const auto equals = s.find('=');
    const auto name = trimmed(std::string_view(s).substr(0, equals));
    const auto value = equals == std::string::npos
                           ? std::string_view()
                           : trimmed(std::string_view(s).substr(equals + 1));
    const auto n = parse_c_number(value);
    if (name.empty()) {
      errors.push_back(fmt::format("line {}: a value without a name", line));
    } else if (!find_tunable(name)) {
      std::vector<std::string_view> names;
      for (const auto& t : all_tunables()) names.push_back(t.name);
      const auto near = closest(name, names);
      errors.push_back(fmt::format("line {}: there is no tunable {}{}", line, excerpt(name),
                                   near ? fmt::format("; did you mean {}?", *near) : ""));
    } else if (!n || *n > 0xffff'ffff) {
      errors.push_back(fmt::format("line {}: {}: not a number that fits into 32 bits: `{}`", line,
                                   name, excerpt(value)));
    } else {
      to.set(name, static_cast<std::uint32_t>(*n));
    }
  }
  return errors;
}

std::expected<node_setup, std::vector<std::string>> check_node_directory(const std::string& base) {
  std::error_code problem;
  const auto places = places_of(base);
  if (!fs::is_directory(places.base, problem))
    return std::unexpected(std::vector{fmt::format("{}: no such directory", places.base)});
  std::vector<std::string> errors;
  const auto blame = [&](const std::string& file, const std::string& why) {
    errors.push_back(file + ": " + why);
  };
  const auto read = [&](const std::string& file) -> std::optional<std::string> {
    if (file.empty()) return std::nullopt;
    auto text = read_plain_file(file);
    if (text) return std::move(*text);
    blame(file, text.error());
    return std::string();
  };

  auto p = default_settings(places);
  const auto files = settings_files(places);
  if (!files) errors.push_back(files.error());
  for (const auto& file : files.value_or(std::vector{places.settings})) {
    const auto warnings = p.setup.warnings.size();
    p.errors.clear();
    apply_settings(read(file).value_or(""), p);
    for (const auto& e : p.errors) blame(file, e);
    for (auto i = warnings; i < p.setup.warnings.size(); ++i)
      p.setup.warnings[i] = file + ": " + p.setup.warnings[i];
  }
  auto& c = p.setup.config;
  if (p.lock_asked_for && c.cluster_lock.empty())
    blame(places.settings, "[floe] quorum = lock: there is no `cluster lock` in [cluster]");

  auto nodes = read_nodes_file(c.nodes_file, p.port.value_or(default_port()));
  if (!nodes) {
    errors.push_back(nodes.error() + "; it holds the nodes' addresses, one per line");
  } else {
    c.nodes = std::move(*nodes);
    if (const auto self = own_number(c.nodes, p.node_address))
      c.self = *self;
    else
      blame(c.nodes_file, self.error());
  }

  auto tunables_file = places.tunables;
  auto tunables = read(tunables_file);
  if (!tunables) tunables = read(tunables_file = places.tunables_else);
  if (tunables)
    for (const auto& e : apply_tunables(*tunables, c.tunables)) blame(tunables_file, e);

  if (c.socket.size() >= sizeof(sockaddr_un::sun_path))
    blame(c.socket,
          fmt::format("too long for a Unix socket ({} of {} characters): use a shorter directory",
                      c.socket.size(), sizeof(sockaddr_un::sun_path) - 1));
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return std::move(p.setup);
}

std::expected<node_setup, std::vector<std::string>> read_node_directory(const std::string& base) {
  auto setup = check_node_directory(base);
  if (!setup) return setup;
  std::vector<std::string> errors;
  const auto& c = setup->config;
  for (const auto& dir : {places_of(base).run_dir, c.volatile_dir, c.persistent_dir, c.state_dir}) {
    std::error_code problem;
    fs::create_directories(dir, problem);
    if (problem) errors.push_back(fmt::format("{}: {}", dir, problem.message()));
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  if (auto others = files_of_other_nodes(setup->config); !others.empty())
    setup->warnings.push_back(std::move(others));
  return setup;
}

}  // namespace floe::cli
