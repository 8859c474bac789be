#include "actors/node/control_table.hpp"

#include <cstdlib>

#include "actors/events.hpp"

namespace floe {

void control_table::add(control_row row) {
  const auto opcode = number(row.opcode);
  if (!rows_.emplace(opcode, std::move(row)).second) std::abort();
}

void control_table::carry_out(const caller& by, byte_view data, const replier& answer) const {
  const auto* info = find_control(by.opcode);
  const auto row = rows_.find(number(by.opcode));
  if (!info || info->is(control_trait::obsolete) || row == rows_.end()) {
    log_.tell(event::unknown_control{.control = control_name(by.opcode), .from = by.from});
    return answer.fail();
  }
  if (info->from == sender::local && !by.client)
    return answer.fail("only for clients of this node");
  if (const auto error = row->second.run(by, data, answer)) {
    log_.tell(event::bad_control{.control = info->name, .from = by.from, .why = error->text()});
    answer.fail();
  }
}

}  // namespace floe
