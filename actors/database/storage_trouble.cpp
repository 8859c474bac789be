#include "actors/database/storage_trouble.hpp"

#include <fmt/format.h>

#include <utility>

#include "actors/events.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/ban_end.hpp"
#include "storage/room.hpp"

namespace floe {

void storage_trouble::failed(const char* doing, const store_error& e) {
  port_.env.log.tell(event::storage_failed{.db = port_.config.name,
                                           .doing = doing,
                                           .code = name(e.code),
                                           .cause = e.cause,
                                           .why = e.text});
  last_refusal_ = e.text;
  // what is too large for a store is its client's mistake
  if (e.code == store_errc::unstorable || e.code == store_errc::unsorted) return;
  if (what_.empty()) since_ = port_.env.loop.now();
  what_ = e.text;
  corrupt_ |= e.code == store_errc::corrupt;
  if (e.code == store_errc::not_open)  // nothing can be read here any more, by no recovery either
    port_.node.tell(
        ban_self{fmt::format("cannot use the file of {}: {}", port_.config.name, e.text),
                 ban_cause::cannot_store, port_.config.id, false});
}

void storage_trouble::leave_without_room(const recovery_set& brought, const store_error& e,
                                         bool of_tool) {
  failed(of_tool ? "commit what a tool brings" : "commit recovery", e);
  if (of_tool && !mutated(mutant::leaves_for_what_a_tool_brings)) return;
  // the leaving would cover that bug, which is looked for without it
  if (mutated(mutant::half_a_commit_forgotten)) return;
  if (corrupt_ && port_.config.kind == db_kind::volatile_db) return;
  const bool full = e.code == store_errc::full_disk || e.code == store_errc::full_map;
  if (full) {
    // pages are written anew beside the old ones, and a record is more than its bytes
    constexpr std::uint64_t per_record = 64;
    if (bytes_ == 0) {  // else it is looked for already
      ++failures_;
      look_later();
    }
    bytes_ = 2 * (brought.size_bytes() + per_record * brought.size()) + 1;
  }
  port_.node.tell(ban_self{
      fmt::format("cannot store what a recovery brings into {}: {}", port_.config.name, e.text),
      ban_cause::cannot_store, port_.config.id, full});
}

void storage_trouble::look_later() {
  port_.env.loop.after(room_pause(failures_), [to = port_.self] { to.tell(db_look_for_room{}); });
}

void storage_trouble::on(const db_look_for_room&) {
  if (bytes_ == 0) return;
  const bool here = port_.store && port_.use == store_use::here;
  if (!here || !has_room(*port_.store, bytes_)) return look_later();
  bytes_ = 0;
  works();
  port_.node.tell(room_is_back{port_.config.id});
}

void storage_trouble::found_room() {
  works();
  failures_ = 0;
  if (std::exchange(bytes_, 0) != 0) port_.node.tell(room_is_back{port_.config.id});
}

}  // namespace floe
