#include "cli/named_database.hpp"

#include "cli/no_such_database.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/database.hpp"

namespace floe::cli {
namespace {

/// Those that the node tells in time: they are for a hint only.
void ask_names(client& c, duration patience, std::function<void(std::vector<std::string>)> done) {
  c.control<control::get_dbmap>(
      pnn::current, {}, patience, [&c, patience, done = std::move(done)](const auto& map) {
        auto names = std::make_shared<std::vector<std::string>>();
        if (!map || map->value.dbs.empty()) return done(*names);
        auto left = std::make_shared<std::size_t>(map->value.dbs.size());
        for (const auto& d : map->value.dbs)
          c.control<control::get_dbname>(pnn::current, d.db_id, patience,
                                         [names, left, done](const auto& name) {
                                           if (name) names->emplace_back(name->value.value);
                                           if (--*left == 0) done(std::move(*names));
                                         });
      });
}

}  // namespace

void find_named_database(client& c, const bytes& name, duration patience, when_done<db_id> done) {
  find_database(c, name, patience,
                [&c, name, patience, done = std::move(done)](const result<db_id>& found) {
                  if (found || found.error().status != record_status_unknown_db) return done(found);
                  ask_names(c, patience,
                            [name, done, error = found.error()](std::vector<std::string> attached) {
                              auto e = error;
                              e.text = no_such_database(name, attached);
                              done(std::unexpected(std::move(e)));
                            });
                });
}

result<db_id> find_named_database(blocking_client& c, const bytes& name, duration patience) {
  return c.wait<db_id>(
      [&](auto done) { find_named_database(c.async(), name, patience, std::move(done)); });
}

}  // namespace floe::cli
