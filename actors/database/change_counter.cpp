#include "actors/database/change_counter.hpp"

#include <algorithm>

#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void change_counter::tell_others() {
  if (told_) return;
  told_ = now_;
  wait_for_interval();
}

/// 0 would be a timer that never rests.
void change_counter::wait_for_interval() const {
  port_.env.loop.after(
      std::max<duration>(port_.settings.seqnum_interval, std::chrono::milliseconds(1)),
      [to = port_.self] { to.tell(db_seqnum_time{}); });
}

void change_counter::tell_if_changed() {
  if (*told_ == now_) return;
  told_ = now_;
  const auto& nodes = port_.view->nodes;
  for (std::uint32_t n = 0; n < nodes.size(); ++n)
    if (pnn{n} != port_.env.self && !(nodes[n].flags & node_flag::inactive))
      port_.node.tell(call_control{.to = pnn{n},
                                   .opcode = control::update_seqnum,
                                   .data = wire::encode(number(port_.config.id)),
                                   .patience = port_.config.update_patience,
                                   .flags = control_flag::noreply});
}

}  // namespace floe
