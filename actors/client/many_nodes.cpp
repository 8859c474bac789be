#include "actors/client/many_nodes.hpp"

#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe {
namespace {

/// What is outstanding of one question to many.
struct round {
  std::vector<node_reply> all;
  std::size_t left = 0;
  std::function<void(std::vector<node_reply>)> done;
};

bool is_one_of(which_nodes wanted, std::uint32_t flags) {
  switch (wanted) {
    case which_nodes::all: return (flags & node_flag::deleted) == 0;
    case which_nodes::connected: return (flags & node_flag::disconnected) == 0;
    case which_nodes::active: return (flags & node_flag::inactive) == 0;
  }
  std::unreachable();
}

}  // namespace

void control_many(client& c, const std::vector<pnn>& nodes, control opcode, const bytes& data,
                  duration patience, std::function<void(std::vector<node_reply>)> done,
                  floe::srvid srvid) {
  if (nodes.empty()) return c.later(duration{0}, [done = std::move(done)] { done({}); });
  auto r = std::make_shared<round>();
  r->left = nodes.size();
  r->done = std::move(done);
  for (const pnn p : nodes) r->all.push_back({p, std::unexpected(client_error{.node = p})});
  for (std::size_t i = 0; i < nodes.size(); ++i)
    c.send_control(nodes[i], opcode, data, patience,
                   [r, i](result<client_reply> reply) {
                     r->all[i].reply = std::move(reply);
                     if (--r->left == 0) r->done(std::move(r->all));
                   },
                   {.srvid = srvid});
}

void send_message_many(client& c, std::span<const pnn> nodes, floe::srvid srvid, byte_view data) {
  for (const pnn p : nodes) c.send_message(p, srvid, data);
}

void nodes_of(client& c, which_nodes wanted, duration patience, when_done<std::vector<pnn>> done) {
  c.control<control::get_nodemap>(
      pnn::current, {}, patience,
      [wanted, done = std::move(done)](const result<client_answer<node_map>>& map) {
        if (!map) return done(std::unexpected(map.error()));
        std::vector<pnn> nodes;
        for (const auto& n : map->value.nodes)
          if (is_one_of(wanted, n.flags)) nodes.push_back(n.pnn);
        done(std::move(nodes));
      });
}

}  // namespace floe
