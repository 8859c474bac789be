#pragma once
/// Where a node's files are. Two layouts:
///
///                       with --base DIR (or CTDB_BASE)     of the distribution (neither given)
///     settings          DIR/ctdb.conf                      /etc/ctdb/ctdb.conf
///     addresses         DIR/nodes                          /etc/ctdb/nodes
///     tunables          DIR/ctdb.tunables, DIR/tunables    /etc/ctdb/ctdb.tunables
///     socket, pid file  DIR/run/ctdbd.socket, .pid         /run/ctdb/ctdbd.socket, .pid
///     databases         DIR/db/{volatile,persistent,state} /var/lib/ctdb/{volatile,persistent,state}
///     log               DIR/log.ctdb                       /var/log/ctdb/log.ctdb
///
/// The second column is what Debian's `ctdb` expects of a daemon (Samba ctdb/common/path.c); the first what it expects
/// when CTDB_TEST_MODE is set. The directories of the second are options of the build (meson_options.txt).
#include <string>

namespace floe::cli {

struct node_places {
  std::string base;  ///< the directory that was given; of the distribution: that of the settings
  std::string settings, nodes;
  std::string tunables,
      tunables_else;  ///< the second is read if the first is not there; may be empty
  std::string run_dir, socket, pid_file;
  std::string volatile_dir, persistent_dir, state_dir;
  std::string log_file;
};

/// An empty base: the places of the distribution.
node_places places_of(const std::string& base);

}  // namespace floe::cli
