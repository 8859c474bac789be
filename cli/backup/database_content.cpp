#include "cli/backup/database_content.hpp"

#include "actors/client/traverse.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/tunable_value.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

/// Another try when the database changed while it was read.
constexpr int tries = 5;

/// What must be the same before and after a database was read, or the reading may be incomplete.
struct reading_state {
  std::int32_t mode = 0;
  floe::generation generation = floe::generation::invalid;
  std::uint64_t seqnum = 0;
  bool operator==(const reading_state&) const = default;
};

result<reading_state> state_of(context& c, blocking_client& node, const database_info& db) {
  reading_state s;
  const auto mode = node.control<control::get_recmode>(pnn::current, {}, c.patience());
  if (!mode) return std::unexpected(mode.error());
  s.mode = mode->status;
  const auto map = node.control<control::getvnnmap>(pnn::current, {}, c.patience());
  if (!map) return std::unexpected(map.error());
  s.generation = map->value.generation;
  if (kind_of(db.flags) == db_kind::volatile_db || s.mode != 0) return s;
  const auto number =
      node.control<control::get_db_seqnum>(pnn::current, db_seqnum_request{db.id}, c.patience());
  if (!number) return std::unexpected(number.error());
  s.seqnum = number->value;
  return s;
}

}  // namespace

result<database_content> read_content(context& c, blocking_client& node, const database_info& db,
                                      progress_line& progress) {
  const auto limit =
      node.control<control::get_tunable>(pnn::current, {.name = "TraverseTimeout"}, c.patience());
  if (!limit) return std::unexpected(limit.error());
  std::string why = "a recovery is going on";
  for (int i = 0; i < tries; ++i) {
    const auto before = state_of(c, node, db);
    if (!before) return std::unexpected(before.error());
    if (before->mode != 0) break;
    database_content all;
    std::uint64_t seen = 0;
    const auto begin = node.loop().now();
    const auto end = node.wait<traverse_result>([&](auto finished) {
      traverse(
          node.async(), db.id, kind_of(db.flags) != db_kind::volatile_db, c.long_patience(),
          [&](const record_view& r) {
            auto& mine = all[bytes(r.key)];
            if (mine.key.empty() || r.header.rsn >= mine.header.rsn)
              mine = {bytes(r.key), r.header, bytes(r.data)};
            progress.show(++seen);
          },
          finished);
    });
    if (!end) return std::unexpected(end.error());
    // a node that gives up says nothing: the end then looks like any other
    if (node.loop().now() - begin >= std::chrono::seconds(limit->value))
      return std::unexpected(client_error{client_errc::timed_out, 0,
                                          "reading it takes longer than the nodes' TraverseTimeout",
                                          pnn::current});
    const auto after = state_of(c, node, db);
    if (!after) return std::unexpected(after.error());
    if (*after == *before) return all;
    why = "it changes while it is read";
  }
  return std::unexpected(client_error{client_errc::refused, 0, why, pnn::current});
}

}  // namespace floe::cli
