#include "cli/named_record.hpp"

#include <fmt/format.h>

#include "cli/keys.hpp"
#include "cli/named_database.hpp"

namespace floe::cli {

std::expected<named_record, exit_code> open_record(context& c, const arguments& a,
                                                   std::string_view command,
                                                   std::string_view database) {
  auto key = parse_octets(a["KEY"]);
  if (!key) return std::unexpected(c.misused(key.error()));
  if (key->empty()) return std::unexpected(c.misused("a key has at least one byte"));
  auto node = c.node();
  if (!node) return std::unexpected(node.error());
  named_record r{.node = *node,
                 .key = std::move(*key),
                 .what = fmt::format("{} {} {}", command, a["DB"], a["KEY"])};
  const auto db = find_named_database(*r.node, database.empty() ? a["DB"] : std::string(database),
                                      c.patience());
  if (!db) return std::unexpected(c.fail(r.what, db.error()));
  r.db = *db;
  c.wants(r.db, r.key);
  return r;
}

}  // namespace floe::cli
