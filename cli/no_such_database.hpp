#pragma once
/// What is said of a name that no database has.
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli {

/// "no database locing.tdb is attached; did you mean locking.tdb?"
std::string no_such_database(std::string_view name, const std::vector<std::string>& attached);

}  // namespace floe::cli
