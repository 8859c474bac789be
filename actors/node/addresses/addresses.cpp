#include "actors/node/addresses/addresses.hpp"

#include <algorithm>

#include "protocol/types/basic.hpp"

namespace floe {
namespace {

/// ctdbd of a list for an address that is not public.
constexpr std::int64_t not_public = 1;

}  // namespace

std::size_t addresses::connections() const {
  std::size_t n = 0;
  for (const auto& [client, all] : known_) n += all.size();
  return n;
}

outcome_of<control::tcp_client> addresses::tcp_client(const request_of<control::tcp_client>& c,
                                                      const caller& by) {
  auto& all = known_[by.client->id];
  if (all.size() < most_of_client && std::ranges::find(all, c) == all.end()) all.push_back(c);
  return {};
}

outcome_of<control::tcp_client> addresses::forget_one(const tcp_connection& c, const caller& by) {
  if (const auto i = known_.find(by.client->id); i != known_.end()) {
    std::erase(i->second, c);
    if (i->second.empty()) known_.erase(i);
  }
  return {};
}

outcome_of<control::tcp_client_disconnected> addresses::tcp_client_disconnected(
    const request_of<control::tcp_client_disconnected>& c, const caller& by) {
  return forget_one(c, by);
}

outcome_of<control::tcp_client_passed> addresses::tcp_client_passed(
    const request_of<control::tcp_client_passed>& c, const caller& by) {
  return forget_one(c, by);
}

outcome_of<control::get_tcp_tickle_list> addresses::get_tickle_list() const {
  return status_of(not_public);
}
outcome_of<control::set_tcp_tickle_list> addresses::set_tickle_list() const {
  return status_of(not_public);
}

outcome_of<control::takeover_ip> addresses::takeover_ip(
    const request_of<control::takeover_ip>& ip) const {
  if (ip.pnn != self_) return refuse("an address must be given to the node itself");
  return {};
}

}  // namespace floe
