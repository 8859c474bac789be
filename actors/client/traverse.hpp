#pragma once
/// Reading a whole database of the cluster: every node sends the records it owns, in no order. Not
/// a snapshot: a record that moves meanwhile may come twice or not at all; and when a node takes
/// longer than its TraverseTimeout, the end looks like any other.
#include <cstdint>
#include <functional>

#include "actors/client/records.hpp"

namespace floe {

struct traverse_result {
  std::uint64_t records = 0;
};

/// For every record; false ends the traverse early, well.
using record_visitor = std::function<bool(const record_view&)>;

/// `each` for every record, then `done` once: also when the connection breaks before the end. `with_empty`: deleted records that are not yet
/// forgotten, too.
void traverse(client&, db_id, bool with_empty, duration patience,
              std::function<void(const record_view&)> each, when_done<traverse_result> done);
void traverse_while(client&, db_id, bool with_empty, duration patience, record_visitor each,
                    when_done<traverse_result> done);

/// The records as this node has them, in the order of its store: copies of what others own and deleted ones among them. Page
/// after page, so that no database is too large; what changes meanwhile is seen old or new. `patience` is for each page.
void traverse_here(client&, db_id, duration patience, std::function<void(const record_view&)> each,
                   when_done<traverse_result> done);
void traverse_here_while(client&, db_id, duration patience, record_visitor each,
                         when_done<traverse_result> done);

}  // namespace floe
