#include "cli/no_such_database.hpp"

#include <fmt/format.h>

#include "cli/suggest.hpp"

namespace floe::cli {

std::string no_such_database(std::string_view name, const std::vector<std::string>& attached) {
  const std::vector<std::string_view> names(attached.begin(), attached.end());
  const auto near = closest(name, names);
  return fmt::format("no database {} is attached{}", name,
                     near               ? fmt::format("; did you mean {}?", *near)
                     : attached.empty() ? std::string()
                                        : std::string("; `floe getdbmap` lists those that are"));
}

}  // namespace floe::cli
