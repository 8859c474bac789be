#include "cli/databases.hpp"
#include "cli/no_such_database.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/constants.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/database.hpp"

namespace floe::cli {

const char* kind_text(std::uint8_t flags) {
  return flags & db_flag::persistent   ? "persistent"
         : flags & db_flag::replicated ? "replicated"
                                       : "volatile";
}

std::string id_text(db_id id) { return fmt::format("{:#010x}", number(id)); }

result<std::vector<database_info>> list_databases(blocking_client& c, pnn node, duration patience) {
  const auto map = c.control<control::get_dbmap>(node, {}, patience);
  if (!map) return std::unexpected(map.error());
  std::vector<database_info> all;
  for (const auto& d : map->value.dbs)
    all.push_back({.id = d.db_id, .flags = d.flags, .name = {}, .path = {}, .damage = {}});
  std::ranges::reverse(all);
  std::optional<client_error> error;
  (void)c.wait<int>([&](auto done) {
    if (all.empty()) return done(0);
    auto left = std::make_shared<std::size_t>(3 * all.size());
    const auto part = [left, done, &error](std::string& to) {
      return [left, done, &error, &to](const auto& r) {
        if (r)
          to = r->value.value;
        else if (!error)
          error = r.error();
        if (--*left == 0) done(0);
      };
    };
    auto& async = c.async();
    for (auto& d : all) {
      async.control<control::get_dbname>(node, d.id, patience, part(d.name));
      async.control<control::getdbpath>(node, d.id, patience, part(d.path));
      async.control<control::db_get_health>(node, d.id, patience, part(d.damage));
    }
  });
  if (error) return std::unexpected(*error);
  return all;
}

result<database_info> find_database_info(blocking_client& c, pnn node, std::string_view name_or_id,
                                         duration patience) {
  auto all = list_databases(c, node, patience);
  if (!all) return std::unexpected(all.error());
  for (auto& d : *all)
    if (d.name == name_or_id || id_text(d.id) == name_or_id) return std::move(d);
  std::vector<std::string> attached;
  for (const auto& d : *all) attached.push_back(d.name);
  return std::unexpected(client_error{client_errc::refused, record_status_unknown_db,
                                      no_such_database(name_or_id, attached), node});
}

void put_fields(wire::json_writer& j, const database_info& d) {
  j.text("id", id_text(d.id));
  j.text("name", d.name);
  j.text("kind", kind_text(d.flags));
  j.boolean("readonly", d.flags & db_flag::readonly);
  j.boolean("sticky", d.flags & db_flag::sticky);
  j.text("path", d.path);
  if (d.damage.empty())
    j.null("damage");
  else
    j.text("damage", d.damage);
}

}  // namespace floe::cli
