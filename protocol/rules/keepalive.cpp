#include "protocol/rules/keepalive.hpp"

#include <algorithm>
#include <utility>

#include "protocol/rules/silence_limit.hpp"

namespace floe {

void peer_watch::begin(time_point now, bool quick) {
  quick_ = quick;
  heard_ = true;
  last_tick_ = now;
  silent_ = duration{0};
}

void peer_watch::heard(bool keepalive, time_point now) {
  heard_ = true;
  if (!keepalive) return;
  if (last_keepalive_) pauses_[seen_++ % remembered] = now - *last_keepalive_;
  last_keepalive_ = now;
}

duration peer_watch::period(const keepalive_settings& s) const {
  return quick_ && s.quick_interval.count() > 0 ? std::min(s.quick_interval, s.interval)
                                                : s.interval;
}

duration peer_watch::allowed(const keepalive_settings& s) const {
  const duration whole = silence_limit(s.interval, s.limit);
  if (!quick_ || s.quick_interval.count() == 0 || seen_ < enough) return whole;
  const duration longest = *std::ranges::max_element(pauses_);
  return std::min(whole, std::max(s.quick_limit, 4 * longest));
}

peer_watch::verdict peer_watch::tick(time_point now, const keepalive_settings& s) {
  const duration passed = now - std::exchange(last_tick_, now);
  const bool starved = passed > 2 * period(s);
  if (std::exchange(heard_, false))
    silent_ = duration{0};
  else if (!starved)
    silent_ += passed;
  const duration limit = allowed(s);
  const bool ask = quick_ && limit > 2 * ask_before && silent_ >= limit - ask_before;
  return {.dead = silent_ >= limit, .ask = ask, .silent = silent_, .allowed = limit};
}

version_verdict judge_version(const keepalive_claim& own, const keepalive_claim& sender,
                              bool allow_mixed) {
  if (own.version == sender.version) return version_verdict::fits;
  if (allow_mixed) return version_verdict::tolerate;
  if (!sender.version) return version_verdict::shut_down;
  const bool leave = own.uptime_s != sender.uptime_s ? own.uptime_s < sender.uptime_s
                                                     : own.version < sender.version;
  return leave ? version_verdict::shut_down : version_verdict::tolerate;
}

}  // namespace floe
