#pragma once
/// The processes of a local cluster.
#include <sys/types.h>

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"
#include "protocol/rules/time.hpp"

namespace floe::cli {

/// Where this program lies, to start it again.
std::string own_program();

/// Starts a node in a session of its own, so that no terminal ends it. What it prints goes to its
/// start log.
std::expected<pid_t, std::string> start_node_process(const local_cluster&, std::uint32_t node);
/// The process that runs the node, if one does.
std::optional<pid_t> node_process(const local_cluster&, std::uint32_t node);

/// Those that run are left alone. One process for each node, 0 for those that are deleted.
std::expected<std::vector<pid_t>, std::string> start_missing_nodes(const local_cluster&);
/// Also when it is a child of ours, which this buries.
bool has_ended(pid_t);

/// SIGTERM, after `patience` SIGKILL; returns when the process is gone. False: it had to be killed.
bool stop_process(pid_t, const std::function<bool()>& gone, duration patience);
/// All nodes at once. Returns the nodes that had to be killed. `waits_for` is told of a node that lives yet, many times a second.
std::vector<std::uint32_t> stop_cluster(const local_cluster&, duration patience,
                                        const std::function<void(std::uint32_t)>& waits_for = {});

/// The end of a text file, for messages.
std::string last_line(const std::string& path);

}  // namespace floe::cli
