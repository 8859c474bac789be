#include "cli/ask_nodes.hpp"

namespace floe::cli {

std::vector<node_reply> ask_each(blocking_client& c, const std::vector<pnn>& nodes, control opcode,
                                 const bytes& data, duration patience) {
  std::vector<node_reply> all;
  for (const pnn p : nodes) all.push_back({p, std::unexpected(client_error{.node = p})});
  auto r = c.wait<int>([&](auto done) {
    auto left = std::make_shared<std::size_t>(nodes.size());
    if (nodes.empty()) done(0);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      c.async().send_control(nodes[i], opcode, data, patience,
                             [&all, i, left, done](result<client_reply> reply) {
                               all[i].reply = std::move(reply);
                               if (--*left == 0) done(0);
                             });
  });
  (void)r;
  return all;
}

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
