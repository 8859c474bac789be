#pragma once
/// The databases of a node with what can be asked about each; CTDB's own controls.
#include <string>
#include <vector>

#include "actors/client/blocking_client.hpp"
#include "protocol/db_kind.hpp"
#include "protocol/record.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {

struct database_info {
  db_id id{0};
  std::uint8_t flags = 0;  ///< db_flag bits
  std::string name, path;
  std::string damage;  ///< empty: healthy
};

/// In the order of attachment.
result<std::vector<database_info>> list_databases(blocking_client&, pnn, duration patience);
/// One of them, by name or "0x" and id.
result<database_info> find_database_info(blocking_client&, pnn, std::string_view name_or_id,
                                         duration patience);

/// "volatile", "persistent", "replicated"
const char* kind_text(std::uint8_t flags);
/// "0x7a19d84d"
std::string id_text(db_id);
/// As members of the object that has been begun.
void put_fields(wire::json_writer&, const database_info&);

}  // namespace floe::cli
