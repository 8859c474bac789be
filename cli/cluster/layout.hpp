#pragma once
/// A cluster of nodes on this machine: DIR/node.0, DIR/node.1 ... are the nodes' directories
/// (node_files.hpp), DIR/cluster.json remembers the addresses. Node N listens on PREFIX.(N+1) of
/// the loopback network, all on the same port.
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace floe::cli {

struct local_cluster {
  std::string dir;  ///< absolute
  std::uint32_t nodes = 3;
  std::string prefix;  ///< "127.4.5"
  std::uint16_t port = 0;

  std::string base(std::uint32_t node) const { return dir + "/node." + std::to_string(node); }
  std::string socket(std::uint32_t node) const { return base(node) + "/run/ctdbd.socket"; }
  std::string pid_path(std::uint32_t node) const { return base(node) + "/run/ctdbd.pid"; }
  /// What a node prints before it has its log.
  std::string start_log(std::uint32_t node) const { return base(node) + "/log.start"; }
  std::string address(std::uint32_t node) const { return prefix + "." + std::to_string(node + 1); }
};

struct cluster_options {
  std::string dir;
  std::optional<std::uint32_t> nodes;
  std::string prefix;      ///< empty: a free one is looked for
  bool elsewhere = false;  ///< the addresses are those of other network namespaces: not tried
  std::optional<std::uint16_t> port;
  /// As in ctdb.conf; empty: the file DIR/cluster.lock; "none": none.
  std::string cluster_lock;
  std::string extra_settings;                     ///< appended to each ctdb.conf
  std::map<std::string, std::uint32_t> tunables;  ///< for each ctdb.tunables
};

/// Makes what is missing; a cluster that is there already keeps its addresses and files, and may be wished larger:
/// then the new nodes are made, and stand in every nodes file. Other contradictions are an error.
std::expected<local_cluster, std::string> make_cluster(const cluster_options&);
/// The cluster of a directory; nodes that were added by hand belong to it.
std::expected<local_cluster, std::string> open_cluster(const std::string& dir);

}  // namespace floe::cli
