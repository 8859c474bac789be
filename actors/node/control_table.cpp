#include "actors/node/control_table.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "actors/events.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Names, options, reasons. What parses one does so in one turn of the loop, and a packet has 64 MB.
constexpr std::size_t longest_text = 16u << 10;

bool is_text(const control_info& c) { return c.request == &wire::codec<wire::string>::info(); }

}  // namespace

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
  if (is_text(*info) && data.size() > longest_text)
    return answer.fail(
        fmt::format("a text of {} bytes, {} are the most", data.size(), longest_text));
  if (const auto error = row->second.run(by, data, answer)) {
    log_.tell(event::bad_control{.control = info->name, .from = by.from, .why = error->text()});
    answer.fail();
  }
}

}  // namespace floe
