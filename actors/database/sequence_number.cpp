/// The counter of a database's changes, for clients that cache its records (ENABLE_SEQNUM, UPDATE_SEQNUM): it moves with
/// every store, deletion and give-away on this node, and, where that was asked for, within SeqnumInterval on all others.
/// Unrelated to the sequence number that transactions of persistent databases raise.
///
/// Source: Samba ctdb/server/ctdb_ltdb_server.c (ctdb_ltdb_enable_seqnum, ctdb_ltdb_seqnum_check,
/// ctdb_ltdb_update_seqnum).
#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/database/hot_records.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// A record has changed; clients that cache by the record table see it there.
void database::count_change() {
  ++seqnum_;
  if (hot_records_) hot_records_->table->count_change();
}

void database::enable_seqnum(db_control& m) {
  m.answer.good();
  if (seqnum_told_) return;
  seqnum_told_ = seqnum_;
  wait_for_seqnum();
}

/// 0 would be a timer that never rests.
void database::wait_for_seqnum() {
  env_.loop.after(std::max<duration>(settings_.seqnum_interval, std::chrono::milliseconds(1)),
                  [to = self()] { to.tell(db_seqnum_time{}); });
}

void database::on(db_seqnum_time&) {
  wait_for_seqnum();
  collect_table();  // stores in the record table count, too
  if (*seqnum_told_ == seqnum_) return;
  seqnum_told_ = seqnum_;
  for (std::uint32_t n = 0; n < view_->nodes.size(); ++n)
    if (pnn{n} != env_.self && !(view_->nodes[n].flags & node_flag::inactive))
      node_.tell(call_control{.to = pnn{n},
                              .opcode = control::update_seqnum,
                              .data = wire::encode(number(config_.id)),
                              .patience = config_.update_patience,
                              .flags = control_flag::noreply});
}

/// Something has changed on another node. It has told everybody: nothing is passed on.
void database::update_seqnum(db_control& m) {
  count_change();
  if (seqnum_told_) ++*seqnum_told_;
  m.answer.good();
}

}  // namespace floe
