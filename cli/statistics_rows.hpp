#pragma once
/// -X of `statistics` and `stats`: one line of titles, then a line for each set of counters, as CTDB's tool writes them.
/// Unlike other rows they do not begin with a separator.
#include "protocol/types/statistics.hpp"

namespace floe::cli {

void print_statistics_titles();
void print_statistics_row(const statistics&);

}  // namespace floe::cli
