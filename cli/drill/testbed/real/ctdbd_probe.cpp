#include "cli/drill/testbed/real/ctdbd_probe.hpp"

#include <algorithm>
#include <utility>

#include "cli/cluster_state.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

/// After so long without a word (ctdbd's `leader timeout`) its nodes elect another leader.
constexpr duration believed = 5s;

constexpr auto inactive =
    node_flag::disconnected | node_flag::banned | node_flag::stopped | node_flag::deleted;

}  // namespace

ctdbd_probe::ctdbd_probe(client& c) : client_(c) {
  client_.listen(
      message::leader,
      [this](const client_message& m) {
        const auto p = wire::decode<std::uint32_t>(m.data);
        if (!p) return;
        leader_ = pnn{*p} == pnn::unknown ? std::nullopt : std::optional<std::size_t>(*p);
        heard_ = client_.loop().now();
      },
      10s, [](const result<void>&) {});
}

void ctdbd_probe::ask(duration patience, std::function<void(std::optional<node_report>)> done) {
  ask_cluster_health(client_, pnn::current, patience,
                     [this, done = std::move(done)](const result<cluster_state>& r) {
                       if (!r) return done(std::nullopt);
                       node_report l{.fresh = true,
                                     .running = r->run == runstate::running,
                                     .generation = number(r->map.generation)};
                       for (const auto& n : r->nodes.nodes) l.flags.push_back(n.flags);
                       const auto out = [&l](std::size_t n) {
                         return n >= l.flags.size() || (l.flags[n] & inactive) != 0;
                       };
                       // a ctdbd stays in mode NORMAL until somebody leads a recovery, which can take seconds
                       l.normal_mode = r->mode == recovery_mode::normal &&
                                       std::ranges::none_of(r->map.slots, [&](auto slot) {
                                         return out(number(slot));
                                       });
                       if (leader_ && client_.loop().now() - heard_ < believed && !out(*leader_))
                         l.leader = leader_;
                       done(std::move(l));
                     });
}

}  // namespace floe::cli::drill
