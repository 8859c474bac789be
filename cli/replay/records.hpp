#pragma once
/// Many records at once: written and read through clients of several nodes, so many requests under
/// way at each.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/replay/stage.hpp"

namespace floe::cli {

struct database_content {
  std::string name;
  db_id id{0};
  std::map<bytes, bytes> records;
};

using progress_function = std::function<void(std::size_t finished)>;

/// Lock, store, unlock of each record; through this node, or record number i through node i %
/// nodes.
result<void> write_all(stage&, const database_content&, std::optional<std::size_t> node,
                       const progress_function&);

struct comparison {
  std::size_t read = 0, missing = 0, different = 0;
  std::string example;  ///< the first that is not as it should be
};
/// Every record read through this node, and compared.
result<comparison> read_all(stage&, std::size_t node, const database_content&,
                            const progress_function&);

}  // namespace floe::cli
