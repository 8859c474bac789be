/*
 * A program that says why it waits: it stores something a few times a second, and when that takes long it tells whether a
 * recovery is going on, in which phase its database is, and which nodes are not there.
 *
 *   watch_recovery NODE DATABASE SECONDS
 *
 * Lives through the loss of its node (it connects again), ends after SECONDS and prints how many stores were acknowledged.
 * NODE is the directory or the socket of the node on this machine. The library runs the loop.
 */
#include <floe/async.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

using namespace std::chrono_literals;
namespace fa = floe::async;

class watcher {
 public:
  watcher(fa::client& node, std::string database) : node_(node), name_(std::move(database)) {}

  void connected(std::uint32_t pnn) {
    std::printf("connected to node %u\n", pnn);
    node_.watch_recoveries([this](const fa::recovery_change& c) { changed(c); }, 10s, nullptr);
    node_.attach(name_, fa::kind::any, 60s, [this](fa::result<std::uint32_t> db) {
      if (!db) return say_why("attach", db.why());
      db_ = *db;
      if (!storing_) store();
    });
  }
  void lost(const fa::error& why) { std::printf("%s\n", why.describe().c_str()); }
  long stored() const { return stored_; }

 private:
  void store() {
    storing_ = true;
    const long mine = ++attempt_;
    node_.later(300ms, [this, mine] {
      if (storing_ && mine == attempt_) still_waiting();
    });
    node_.lock(db_, "watched", 30s, [this](fa::result<fa::record_lock> lock) {
      if (!lock) return ended(false, "lock", lock.why());
      lock->store_and_unlock(std::to_string(attempt_), 30s, [this](fa::result<void> r) {
        ended(static_cast<bool>(r), "store", r ? fa::error{} : r.why());
      });
    });
  }
  void ended(bool good, const char* doing, const fa::error& why) {
    storing_ = false;
    if (good)
      ++stored_;
    else
      say_why(doing, why);
    node_.later(100ms, [this] {
      if (!storing_ && node_.connected()) store();
    });
  }

  void still_waiting() {
    std::printf("waiting: %s is %s%s\n", name_.c_str(), fa::name(node_.phase(db_)),
                node_.recovering() ? ", a recovery is going on" : "");
    node_.ask(fa::here, fa::questions::nodes(), 3s,
              [](fa::result<std::vector<fa::node_state>> all) {
                if (!all) return;
                for (const auto& n : *all)
                  if (n.flags & (fa::node_disconnected | fa::node_banned | fa::node_stopped))
                    std::printf("node %u at %s is %s\n", n.pnn, n.address.c_str(),
                                n.flags & fa::node_disconnected ? "not connected"
                                : n.flags & fa::node_banned     ? "banned"
                                                                : "stopped");
              });
  }
  void changed(const fa::recovery_change& c) {
    if (c.db == 0) std::printf("recovery mode %s\n", c.recovering ? "active" : "normal");
    if (c.db != 0 && c.db == db_) std::printf("%s %s\n", name_.c_str(), fa::name(c.phase));
  }
  static void say_why(const char* doing, const fa::error& why) {
    std::printf("%s: %s\n", doing, why.describe().c_str());
  }

  fa::client& node_;
  std::string name_;
  std::uint32_t db_ = 0;
  bool storing_ = false;
  long attempt_ = 0, stored_ = 0;
};

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: watch_recovery NODE DATABASE SECONDS\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  fa::client node;
  watcher w(node, argv[2]);
  fa::options where;
  where.where = argv[1];
  where.reconnect = true;
  fa::events events;
  events.connected = [&](std::uint32_t pnn) { w.connected(pnn); };
  events.disconnected = [&](const fa::error& why) { w.lost(why); };
  node.connect(where, events);
  node.run_for(std::chrono::seconds(std::atol(argv[3])));
  std::printf("%ld stores\n", w.stored());
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "watch_recovery: %s\n", e.what());
  return 1;
}
