#pragma once
/// -X, -Y, -x: the answer in rows for scripts, with the fields and separators that CTDB's tool writes: |0|10.0.0.1|. A
/// command that knows no rows answers as without, as CTDB's does.
#include <initializer_list>
#include <string>

#include "protocol/types/node_map.hpp"

namespace floe::cli {

/// As the command line says: from now on answers are in rows.
void write_machine_rows(char separator);
bool machine_rows();
/// Between the fields.
char row_separator();
void print_row(std::initializer_list<std::string> fields);

/// What `status` and `nodestatus` say of nodes, a row each; `self` is the node that is talked to.
void print_node_titles();
void print_node_row(const node_and_flags&, pnn self);

}  // namespace floe::cli
