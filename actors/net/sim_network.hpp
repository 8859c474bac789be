#pragma once
/// A network in memory for simulations: packets take a time drawn from the loop's chance, streams keep their order,
/// and tests cut, slow and heal it. Hosts are IP addresses; every node has a `network` of its own on one `sim_switch`.
///
/// As with TCP nothing is lost on a stream that lives: between hosts that are cut off, packets wait and arrive after
/// the healing; so does the news that a stream has ended. A host that is killed takes all its streams with it; the
/// peers notice after one delay. A packet that the network loses is one that TCP sends again: late.
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/net/network.hpp"
#include "actors/runtime/slots.hpp"

namespace floe {

class sim_connection;

/// What the way from one host to another is like.
struct sim_path {
  duration shortest{std::chrono::microseconds(50)};
  duration longest{std::chrono::microseconds(500)};
  double loss =
      0;  ///< part of the packets that TCP has to send again, each time after twice as long
  std::uint64_t bytes_per_second = 0;  ///< 0: no limit
};

class sim_switch {
 public:
  explicit sim_switch(event_loop& loop) : loop_(loop) {}
  sim_switch(const sim_switch&) = delete;

  /// The network as seen from one host.
  std::unique_ptr<network> attach(const std::string& ip);

  /// Of every way that has not been set for itself.
  void set_delay(duration shortest, duration longest) {
    usual_.shortest = shortest;
    usual_.longest = longest;
  }
  void set_path(const std::string& from, const std::string& to, sim_path p) {
    paths_[{from, to}] = p;
  }
  /// Every way is as usual; what is under way is sent again and arrives.
  void reset_paths();
  /// Packets from `a` to `b` wait until healed; the other direction is not touched.
  void cut_one_way(const std::string& a, const std::string& b);
  void cut(const std::string& a, const std::string& b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }
  /// All cuts.
  void heal();
  void heal(const std::string& a, const std::string& b);
  /// Ends the streams between the two at `a`'s end only: `b` learns nothing of it, as after a crash of the machine.
  void forget_streams(const std::string& a, const std::string& b);
  /// Ends the streams between the two at both ends.
  void reset_streams(const std::string& a, const std::string& b);
  /// All streams and listeners of the host end without a word of their own.
  void kill(const std::string& ip);
  std::uint64_t packets() const { return packets_; }

  /// Sees every packet when it arrives. Streams have numbers; a client's stream is local.
  struct sighting {
    const std::string& from;
    const std::string& to;
    bool local;
    std::uint64_t stream;
    const bytes& packet;
  };
  void set_tap(std::function<void(const sighting&)> tap) { tap_ = std::move(tap); }

 private:
  friend class sim_connection;
  friend class sim_host;
  struct open_port {
    std::string ip;  ///< of the listening host
    accept_fn accept;
    stream_limits limits;
  };
  /// On its way; planned more than once if it is sent again earlier than was drawn.
  struct flight {
    time_point sent{}, at{};
    std::string from{};
    std::weak_ptr<sim_connection> to{};
    frame packet{};
    descriptors_ptr along{};
  };
  bool is_cut(const std::string& a, const std::string& b) const {
    return !cuts_.empty() && cuts_.contains({a, b});
  }
  void plan_landing(std::uint64_t number, time_point at);
  void land(std::uint64_t number);
  const sim_path& path(const std::string& from, const std::string& to) const;
  duration draw(const sim_path&);
  void resume_streams();
  std::shared_ptr<sim_connection> join(const std::string& from, const std::string& name, bool local,
                                       connection_events events);

  event_loop& loop_;
  sim_path usual_;
  std::map<std::pair<std::string, std::string>, sim_path> paths_;
  std::function<void(const sighting&)> tap_;
  std::uint64_t last_stream_ = 0;
  std::map<std::string, open_port> ports_;  ///< by "ip:port" or socket path
  std::set<std::pair<std::string, std::string>> cuts_;
  std::list<std::weak_ptr<sim_connection>> streams_;
  slots<flight> flights_;
  std::uint16_t last_port_ = 40000;
  std::uint64_t packets_ = 0;
};

}  // namespace floe
