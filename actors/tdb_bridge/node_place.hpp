#pragma once
/// Which files are databases of a floe node, and where that node is: a node writes a small file `floe-node` into each of its
/// folders of databases, so that a program that is given a path needs nothing else to find it.
///
///   socket /var/run/floe/ctdbd.socket
///   pnn 2
///
/// A database is then NAME.PNN in that folder. A file that is a TDB all the same (a ctdbd had this folder) is left to libtdb.
#include <optional>
#include <string>

namespace floe {

inline constexpr const char* node_place_file = "floe-node";

/// The content of the file for a node.
std::string node_place_text(const std::string& socket, unsigned pnn);

/// Whether the file begins as a TDB does.
bool is_tdb_file(const std::string& path);

struct database_place {
  std::string socket;
  std::string name;  ///< of the database
};
/// Nothing: libtdb's.
std::optional<database_place> find_database_place(const std::string& path);

}  // namespace floe
