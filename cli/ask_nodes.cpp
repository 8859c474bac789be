#include "cli/ask_nodes.hpp"

namespace floe::cli {

exit_code report_failures(const context& c, std::string_view what,
                          const std::vector<node_reply>& all) {
  exit_code code = done;
  for (const auto& a : all) {
    if (a.reply) continue;
    client_error e = a.reply.error();
    e.node = a.node;
    const auto one = c.fail(what, e);
    if (code == done) code = one;
  }
  return code;
}

}  // namespace floe::cli
