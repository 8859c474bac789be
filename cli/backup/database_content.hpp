#pragma once
/// All records of a database, read so that nothing is missing: again, if a recovery or a transaction came in between.
#include <map>

#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/progress.hpp"
#include "protocol/record.hpp"

namespace floe::cli {

using database_content = std::map<bytes, record>;

/// Of a volatile database those that their owners have, without deleted ones; of others this node's.
result<database_content> read_content(context&, blocking_client&, const database_info&,
                                      progress_line&);

}  // namespace floe::cli
