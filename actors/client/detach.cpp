#include "actors/client/detach.hpp"

#include "actors/client/many_nodes.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe {
namespace {

using answers = std::vector<node_answer<control::get_tunable>>;

/// Why not yet; nothing: every node lets nobody attach.
std::optional<client_error> still_attaching(const answers& all) {
  for (const auto& [node, answer] : all) {
    if (!answer) return answer.error();
    if (answer->value != 0)
      return client_error{.code = client_errc::refused,
                          .status = -1,
                          .text = "clients may still attach on node " +
                                  std::to_string(number(node)) +
                                  ": `floe -n all setvar AllowClientDBAttach 0` forbids it",
                          .node = node};
  }
  return std::nullopt;
}

}  // namespace

void detach(client& c, db_id db, duration patience, when_done<void> done) {
  nodes_of(c, which_nodes::connected, patience,
           [&c, db, patience, done = std::move(done)](const result<std::vector<pnn>>& nodes) {
             if (!nodes) return done(std::unexpected(nodes.error()));
             control_many<control::get_tunable>(
                 c, *nodes, {.name = "AllowClientDBAttach"}, patience,
                 [&c, db, patience, done](const answers& all) {
                   if (const auto why = still_attaching(all)) return done(std::unexpected(*why));
                   c.control<control::db_detach>(pnn::current, db, patience,
                                                 [done](const auto& gone) {
                                                   if (gone)
                                                     done({});
                                                   else
                                                     done(std::unexpected(gone.error()));
                                                 });
                 });
           });
}

}  // namespace floe
