#pragma once
/// One control to several nodes at once, with a result for each; one message to several nodes; and who is in the cluster.
///
///   nodes_of(c, which_nodes::active, 3s, [&](const result<std::vector<pnn>>& nodes) {
///     control_many<control::get_pid>(c, *nodes, {}, 3s, [](const auto& answers) {
///       for (const auto& [node, answer] : answers) ...   // in the order in which the nodes were given
///     });
///   });
///
/// As all requests of a client: callbacks run on the loop, never inside the call, and not at all once the client is gone.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "actors/client/records.hpp"

namespace floe {

struct node_reply {
  pnn node;
  result<client_reply> reply;
};

/// Done when all have answered or their patience has ended: as long as the slowest takes. A node that is named twice is
/// asked twice. Without nodes: done at once, with nothing.
void control_many(client&, const std::vector<pnn>& nodes, control, const bytes& data,
                  duration patience, std::function<void(std::vector<node_reply>)> done,
                  floe::srvid = floe::srvid{0});

template <control C>
struct node_answer {
  pnn node;
  result<client_answer<reply_of<C>>> answer;
};

template <control C>
void control_many(client& c, const std::vector<pnn>& nodes, const request_of<C>& request,
                  duration patience, std::function<void(const std::vector<node_answer<C>>&)> done) {
  control_many(c, nodes, C, encode_request<C>(request), patience,
               [done = std::move(done)](const std::vector<node_reply>& replies) {
                 std::vector<node_answer<C>> all;
                 all.reserve(replies.size());
                 for (const auto& r : replies)
                   all.push_back({r.node, decode_answer<C>(r.reply, r.node)});
                 done(all);
               });
}

/// The same data for whoever listens to the srvid on each of these nodes. Nobody answers; what is sent to a node that is
/// not connected is lost. For every node of a kind, broadcast addresses of send_message cost one packet to the own node.
void send_message_many(client&, std::span<const pnn> nodes, floe::srvid, byte_view data);

enum class which_nodes : std::uint8_t {
  all,        ///< of the nodes file, without those that were deleted from it
  connected,  ///< to the own node, and that one
  active,     ///< those of them that are neither stopped nor banned: they take part in databases
};
/// As the own node sees the cluster, in the order of the nodes file.
void nodes_of(client&, which_nodes, duration patience, when_done<std::vector<pnn>> done);

}  // namespace floe
