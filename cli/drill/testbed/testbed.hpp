#pragma once
/// What a drill is played on: nodes that can be started, hurt and asked, a network between them, and
/// a clock. In simulation (`sim_testbed`) everything follows from the seed and time is virtual; on
/// real processes (`real/`) time is real, and some things cannot be done. Those are told before the
/// first line is played: verbs say what they need (`line_parser::needs`), and the testbed why it cannot.
///
/// All members are called from outside of the loop, between two calls of `run`.
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/environment.hpp"
#include "actors/net/network.hpp"
#include "cli/drill/language/ability.hpp"
#include "protocol/rules/time.hpp"

namespace floe {
class client;
}

namespace floe::cli::drill {

class record_access;

/// What the way from one node to another is like, for packets in one direction. 0: as good as it is.
struct link_quality {
  duration delay{0};  ///< on average; single packets take from half to three halves of it
  double loss = 0;    ///< part of the packets
  std::uint64_t bytes_per_second = 0;
};

enum class node_kind : std::uint8_t { floe, ctdbd };
enum class disk_fault : std::uint8_t { write, flush };
enum class lock_fault : std::uint8_t {
  lost,         ///< once: whoever holds it is told that it is gone
  stolen,       ///< once: others may take it; its holder finds out three seconds later
  stranger,     ///< somebody who is no node has it
  wedged,       ///< of a node: its helper neither answers nor lets go
  unreachable,  ///< of a node: every try is an error
};

class testbed {
 public:
  /// Told of what the nodes say; to be set before the first start.
  struct witness {
    std::function<void(std::int64_t us, std::size_t node, log_level, std::string_view)> log;
    /// A packet between a client and its node, when it arrives: `to` is who got it. Only with
    /// ability::client_packets.
    std::function<void(std::string_view to, std::uint64_t stream, const bytes& packet)>
        client_packet;
  };

  virtual ~testbed() = default;
  virtual void set_witness(witness) = 0;
  /// Nothing if it can be done here, or why not: "the clock is that of the machine".
  virtual std::optional<std::string> cannot(ability) const = 0;

  virtual std::size_t size() const = 0;
  virtual node_kind kind(std::size_t n) const = 0;
  /// Where its clients connect.
  virtual std::string socket(std::size_t n) const = 0;
  virtual event_loop& loop() = 0;
  /// For one client; lives as long as the testbed.
  virtual network& client_network() = 0;

  /// How a client of this node, which outlives the access, gets at records.
  virtual std::unique_ptr<record_access> records(std::size_t n, client&);

  time_point now() { return loop().now(); }
  /// Since the beginning of the drill.
  virtual std::int64_t now_us() const = 0;
  virtual bool run(const std::function<bool()>& done, duration limit) {
    return loop().run_until(done, limit);
  }
  void pass(duration d) {
    (void)run([] { return false; }, d);
  }

  /// An error is one line.
  virtual std::expected<void, std::string> start(std::size_t n) = 0;
  /// As SIGKILL: gone between two messages, nothing said to anybody. Its files stay.
  virtual void kill(std::size_t n) = 0;
  /// As SIGTERM: takes itself down; false if it has not within the limit, and is killed.
  virtual bool shut_down(std::size_t n, duration limit) = 0;
  /// As SIGSTOP and SIGCONT.
  virtual void pause(std::size_t n) = 0;
  virtual void resume(std::size_t n) = 0;
  virtual bool alive(std::size_t n) const = 0;
  virtual bool paused(std::size_t n) const = 0;
  bool responsive(std::size_t n) const { return alive(n) && !paused(n); }
  /// A node ended by itself, or the testbed failed: no drill can hold then.
  virtual std::optional<std::string> broken() const { return std::nullopt; }

  virtual void set_disk_full(std::size_t n, bool) = 0;
  virtual void fail_disk(std::size_t n, disk_fault, std::uint64_t nth) = 0;
  virtual void set_disk_delay(std::size_t n, duration) = 0;
  /// No more of these.
  virtual void mend_disk(std::size_t n) = 0;
  virtual void set_skew(std::size_t n, duration) = 0;

  // The cluster lock, with ability::lock_faults.
  /// Returns whether its holder was not told: from now on another may have it as well.
  virtual bool break_lock(lock_fault, std::size_t /*n*/) { return false; }
  /// From now on a lock that its holder has let go of, or lost with its life, stays taken for so long.
  virtual void keep_lock_after_death(duration) {}
  /// No more of these.
  virtual void mend_lock() {}

  // With ability::new_nodes: every nodes file is changed, nobody is told.
  /// One more line, and a host that is not started.
  virtual std::size_t add_node() { return size(); }
  /// Comments the node's line out.
  virtual void delete_node(std::size_t /*n*/) {}

  /// Packets from one to the other wait, or are lost for TCP to send again, until healed.
  virtual void cut_one_way(std::size_t from, std::size_t to) = 0;
  void cut(std::size_t a, std::size_t b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }
  /// The nodes of the list on one side, all others on the other.
  void split(const std::vector<std::size_t>& side);
  /// Two sides that do not hear each other, and one node that hears both.
  void bridge(std::size_t middle, const std::vector<std::size_t>& side);
  virtual void set_link(std::size_t from, std::size_t to, link_quality) = 0;
  // With ability::stray_streams.
  /// The connections between the two end, and the network is whole.
  virtual void reset_links(std::size_t /*a*/, std::size_t /*b*/) {}
  /// One more connection from the address of one to the other, without a byte, until the end.
  virtual void knock(std::size_t /*from*/, std::size_t /*at*/) {}
  /// All cuts are healed, all links as good as at the beginning.
  virtual void heal() = 0;

  /// The drill is over: where the nodes' files stay, or nothing if they are removed.
  virtual std::string kept_files([[maybe_unused]] bool held) { return {}; }
};

}  // namespace floe::cli::drill
