#pragma once
/// A network in memory for simulations: packets take a time drawn from the loop's chance, streams keep their order,
/// and tests cut, slow and heal it. Hosts are IP addresses; every node has a `network` of its own on one `sim_switch`.
///
/// As with TCP nothing is lost on a stream that lives: between hosts that are cut off, packets wait and arrive after
/// the healing. A host that is killed takes all its streams with it; the peers notice after one delay.
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/net/network.hpp"

namespace floe {

class sim_connection;

class sim_switch {
 public:
  explicit sim_switch(event_loop& loop) : loop_(loop) {}
  sim_switch(const sim_switch&) = delete;

  /// The network as seen from one host.
  std::unique_ptr<network> attach(const std::string& ip);

  void set_delay(duration shortest, duration longest) {
    shortest_ = shortest;
    longest_ = longest;
  }
  /// Packets from `a` to `b` wait until healed; the other direction is not touched.
  void cut_one_way(const std::string& a, const std::string& b);
  void cut(const std::string& a, const std::string& b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }
  void heal();
  /// Ends the streams between the two at `a`'s end only: `b` learns nothing of it, as after a crash of the machine.
  void forget_streams(const std::string& a, const std::string& b);
  /// All streams and listeners of the host end without a word of their own.
  void kill(const std::string& ip);
  std::uint64_t packets() const { return packets_; }

 private:
  friend class sim_connection;
  friend class sim_host;
  struct open_port {
    std::string ip;  ///< of the listening host
    accept_fn accept;
    stream_limits limits;
  };
  bool is_cut(const std::string& a, const std::string& b) const { return cuts_.contains({a, b}); }
  duration draw();
  std::shared_ptr<sim_connection> join(const std::string& from, const std::string& name, bool local,
                                       connection_events events);

  event_loop& loop_;
  duration shortest_{std::chrono::microseconds(50)};
  duration longest_{std::chrono::microseconds(500)};
  std::map<std::string, open_port> ports_;  ///< by "ip:port" or socket path
  std::set<std::pair<std::string, std::string>> cuts_;
  std::list<std::weak_ptr<sim_connection>> streams_;
  std::uint16_t last_port_ = 40000;
  std::uint64_t packets_ = 0;
};

}  // namespace floe
