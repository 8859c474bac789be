#include "cli/machine_rows.hpp"

#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

char separator = 0;  ///< 0: no rows are wanted

std::string digit(bool b) { return b ? "1" : "0"; }

}  // namespace

void write_machine_rows(char s) { separator = s; }
bool machine_rows() { return separator != 0; }
char row_separator() { return separator; }

void print_row(std::initializer_list<std::string> fields) {
  std::string line(1, separator);
  for (const auto& f : fields) line.append(wire::visible(f)).push_back(separator);
  print(line + "\n");
}

void print_node_titles() {
  print_row({"Node", "IP", "Disconnected", "Unknown", "Banned", "Disabled", "Unhealthy", "Stopped",
             "Inactive", "PartiallyOnline", "ThisNode"});
}

void print_node_row(const node_and_flags& n, pnn self) {
  using namespace node_flag;
  const auto has = [&](std::uint32_t flag) { return digit((n.flags & flag) != 0); };
  // there are no public addresses, so no node has only some of its interfaces; and a node's flags are always known
  print_row({std::to_string(number(n.pnn)), std::string(address_text(n.addr)), has(disconnected),
             "0", has(banned), has(permanently_disabled), has(unhealthy), has(stopped),
             has(inactive), "0", n.pnn == self ? "Y" : "N"});
}

}  // namespace floe::cli
