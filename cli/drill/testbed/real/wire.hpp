#pragma once
/// The network between the nodes of a drill on real processes: each node has a network namespace of
/// its own with one interface (a TUN device), and whatever it sends comes to us as IP packets, which
/// we pass on, late, or not at all. So partitions of one direction, delay, loss and rate are real,
/// for any program, and need neither `tc` nor `nft` nor modules of the kernel; when this process
/// ends, in whatever way, the kernel takes the namespaces away with it.
///
/// Packets are passed on by a thread of their own. Members are called by the thread that made it.
#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

class wire {
 public:
  /// The error is one line. `prefix` is that of the nodes' addresses, "10.99.0".
  static std::expected<std::unique_ptr<wire>, std::string> make(std::size_t nodes,
                                                                const std::string& prefix,
                                                                std::uint64_t seed);
  ~wire();

  /// A descriptor of the node's namespace, for setns.
  int space(std::size_t n) const { return ends_[n].space; }
  void cut(std::size_t from, std::size_t to);
  void set(std::size_t from, std::size_t to, link_quality);
  void heal();
  /// Passed on so far.
  std::uint64_t packets() const;

 private:
  struct end {
    int space = -1, device = -1;
  };
  struct link {
    bool cut = false;
    link_quality quality;
    time_point last{};  ///< when the last packet arrives: they keep their order
    time_point free{};  ///< when the line has sent what is before
  };
  struct flying {
    time_point due;
    std::uint64_t number;
    std::size_t to;
    std::vector<char> packet;
    bool operator>(const flying& o) const { return due != o.due ? due > o.due : number > o.number; }
  };

  explicit wire(std::uint64_t seed) : chance_(seed) {}
  void work();
  void take(std::size_t from, const char* packet, std::size_t size);
  void deliver(time_point now);
  link& between(std::size_t from, std::size_t to) { return links_[from * ends_.size() + to]; }

  std::vector<end> ends_;
  mutable std::mutex lock_;
  std::vector<link> links_;
  std::mt19937_64 chance_;
  std::priority_queue<flying, std::vector<flying>, std::greater<>> under_way_;
  std::uint64_t passed_ = 0;
  int stop_ = -1;
  std::thread thread_;
};

/// Of the namespace that we are in; false: errno says why not.
bool raise_loopback();

/// While it lives this thread is in that namespace. Nothing happens for -1.
class visit {
 public:
  explicit visit(int space);
  ~visit();
  visit(const visit&) = delete;

 private:
  int home_ = -1;
};

}  // namespace floe::cli::drill
