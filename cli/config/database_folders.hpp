#pragma once
/// The folders that a node keeps its databases in, before it opens any: whose files are there, and the small file by which
/// programs that know only the path of a database find the node (actors/tdb_bridge/node_place.hpp).
#include <string>

#include "actors/node/node_config.hpp"

namespace floe::cli {

/// Empty, or why a node must not start here: a ctdbd's own files, and what to do with them.
std::string files_of_ctdbd(const node_config&);

/// Empty, or which persistent databases bear the number of another node: they are not opened here, and somebody will miss
/// them if the nodes file was changed.
std::string files_of_other_nodes(const node_config&);

/// Writes the small files; empty, or what went wrong.
std::string announce_node(const node_config&);

}  // namespace floe::cli
