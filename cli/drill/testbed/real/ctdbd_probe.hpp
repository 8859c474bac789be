#pragma once
/// Looks at a ctdbd through a client of it: what GET_NODE_STATUS tells of a floe node is put together
/// from CTDB's own controls, and who leads from what the leader says about once a second.
#include <functional>
#include <optional>

#include "actors/client/client.hpp"
#include "cli/drill/testbed/node_report.hpp"

namespace floe::cli::drill {

class ctdbd_probe {
 public:
  /// The client, which need not be connected yet, outlives it.
  explicit ctdbd_probe(client&);
  ctdbd_probe(const ctdbd_probe&) = delete;

  /// Databases are not looked at: a ctdbd does not tell whether they are frozen.
  void ask(duration patience, std::function<void(std::optional<node_report>)> done);

 private:
  client& client_;
  std::optional<std::size_t> leader_;
  time_point heard_{};
};

}  // namespace floe::cli::drill
