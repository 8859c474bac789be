/// Small clusters whose nodes exchange record packets through the rules alone. The network delivers
/// in order per pair and in any order between pairs. Afterwards every record has exactly one
/// dmaster, every request has been answered, and each client has seen what the one before it wrote.
#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"

using namespace floe;

namespace {

struct wire_packet {
  enum kind { req_call, req_dmaster, reply_dmaster } kind;
  std::uint64_t request;
  pnn source, from;
  std::string key;
  std::uint32_t hops = 0;
  dmaster_packet dmaster{};
  std::string data{};
};

struct model_node {
  std::map<std::string, record> store;
  std::map<std::uint64_t, std::string> pending;
};

class model {
 public:
  model(std::uint64_t seed, std::uint32_t nodes) : chance_(seed), nodes_(nodes) {
    for (std::uint32_t i = 0; i < nodes; ++i) map_.push_back(pnn{i});
  }

  void run(int requests, int keys) {
    int asked = 0;
    while (asked < requests || travelling()) {
      if (asked < requests && (!travelling() || chance_() % 3 == 0)) {
        ask(pnn{static_cast<std::uint32_t>(chance_() % nodes_.size())},
            "k" + std::to_string(chance_() % static_cast<unsigned>(keys)));
        ++asked;
      } else {
        deliver_one();
      }
      check_rsn();
    }
    check_rest();
  }
  int served() const { return served_; }

 private:
  model_node& at(pnn p) { return nodes_.at(number(p)); }
  bool travelling() const {
    for (const auto& [pair, queue] : links_)
      if (!queue.empty()) return true;
    return false;
  }
  void send(pnn from, pnn to, wire_packet p) {
    p.from = from;
    links_[{from, to}].push_back(std::move(p));
  }
  void deliver_one() {
    std::vector<std::pair<pnn, pnn>> full;
    for (const auto& [pair, queue] : links_)
      if (!queue.empty()) full.push_back(pair);
    const auto pair = full[chance_() % full.size()];
    wire_packet p = std::move(links_[pair].front());
    links_[pair].pop_front();
    switch (p.kind) {
      case wire_packet::req_call: return on_req_call(pair.second, p);
      case wire_packet::req_dmaster: return on_req_dmaster(pair.second, p);
      case wire_packet::reply_dmaster: return on_reply_dmaster(pair.second, p, p.dmaster);
    }
  }
  record_header lookup(pnn self, const std::string& key) {
    auto& store = at(self).store;
    if (auto it = store.find(key); it != store.end()) return it->second.header;
    const auto m = decide_missing(db_kind::volatile_db, self, lmaster_of(key, map_));
    if (m.write) store[key] = {key, m.header, {}};
    return m.header;
  }
  void put(pnn self, const std::string& key, const record_header& h, const std::string& data) {
    const auto d =
        decide_store(db_kind::volatile_db, self, lmaster_of(key, map_), h, !data.empty());
    if (d.keep)
      at(self).store[key] = {key, d.header, data};
    else
      at(self).store.erase(key);
  }
  /// The client of a served request: it must find the last value written anywhere, then writes or
  /// deletes.
  void serve(pnn self, const std::string& key) {
    auto& r = at(self).store.at(key);
    put(self, key, record_header(r.header), std::string(r.data));
    auto& own = at(self).store.at(key);
    REQUIRE(own.header.dmaster == self);
    REQUIRE(own.data == last_written_[key]);
    own.data = chance_() % 4 == 0 ? "" : "v" + std::to_string(served_);
    last_written_[key] = own.data;
    ++served_;
  }
  void ask(pnn self, const std::string& key) {
    const auto d = decide_local_call(self, lookup(self, key));
    if (d.serve) return serve(self, key);
    const std::uint64_t request = ++requests_;
    at(self).pending[request] = key;
    send(self, d.ask,
         {.kind = wire_packet::req_call,
          .request = request,
          .source = self,
          .from = self,
          .key = key});
  }
  void on_req_call(pnn self, wire_packet p) {
    const pnn l = lmaster_of(p.key, map_);
    const auto local = lookup(self, p.key);
    const auto d = decide_req_call(self, l, p.source, local, p.hops);
    p.hops = d.hops;
    switch (d.outcome) {
      case req_call_outcome::unroutable: FAIL("unroutable"); return;
      case req_call_outcome::lost: FAIL("a request wanders"); return;
      case req_call_outcome::give_copy: FAIL("nobody asks for a copy"); return;
      case req_call_outcome::redirect: return send(self, d.to, p);
      case req_call_outcome::serve_own:
        at(self).pending.erase(p.request);
        return serve(self, p.key);
      case req_call_outcome::give_directly:
      case req_call_outcome::give_via_lmaster: break;
    }
    const std::string data = at(self).store.at(p.key).data;
    const auto given = giveaway_header(local, !data.empty(), p.source);
    put(self, p.key, given, data);
    p.kind = d.outcome == req_call_outcome::give_directly ? wire_packet::reply_dmaster
                                                          : wire_packet::req_dmaster;
    p.dmaster = {.source = self, .new_dmaster = p.source, .rsn = given.rsn, .flags = given.flags};
    p.data = data;
    send(self, d.to, p);
  }
  void on_req_dmaster(pnn self, wire_packet p) {
    std::optional<record_header> local;
    if (auto it = at(self).store.find(p.key); it != at(self).store.end()) local = it->second.header;
    const auto d = decide_req_dmaster(self, lmaster_of(p.key, map_), p.dmaster, local);
    REQUIRE_FALSE(d.ask_for_recovery());
    if (d.outcome == req_dmaster_outcome::become) return on_reply_dmaster(self, p, p.dmaster);
    put(self, p.key, d.header, p.data);
    p.kind = wire_packet::reply_dmaster;
    send(self, p.dmaster.new_dmaster, p);
  }
  void on_reply_dmaster(pnn self, const wire_packet& p, const dmaster_packet& m) {
    auto& pending = at(self).pending;
    const auto it = pending.find(p.request);
    const auto d = decide_reply_dmaster(
        self, m,
        {.found = it != pending.end(), .same_key = it != pending.end() && it->second == p.key});
    put(self, p.key, d.header, p.data);
    REQUIRE(d.serve);
    pending.erase(it);
    serve(self, p.key);
  }

  std::vector<pnn> owners(const std::string& key) {
    std::vector<pnn> found;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      if (auto it = nodes_[i].store.find(key);
          it != nodes_[i].store.end() && it->second.header.dmaster == pnn{i})
        found.push_back(pnn{i});
    return found;
  }
  void check_rsn() {
    for (const auto& [key, value] : last_written_) {
      const auto o = owners(key);
      REQUIRE(o.size() <= 1);
      if (o.empty()) continue;
      const auto now = at(o.front()).store.at(key).header.rsn;
      REQUIRE(now >= highest_[key]);
      highest_[key] = now;
    }
  }
  void check_rest() {
    for (const auto& n : nodes_) CHECK(n.pending.empty());
    for (const auto& [key, value] : last_written_) {
      CAPTURE(key);
      const auto o = owners(key);
      REQUIRE(o.size() == 1);
      const pnn l = lmaster_of(key, map_);
      CHECK(at(l).store.at(key).header.dmaster == o.front());
      CHECK(at(o.front()).store.at(key).data == value);
      for (const auto& n : nodes_)
        if (auto it = n.store.find(key); it != n.store.end())
          CHECK(it->second.header.rsn <= at(o.front()).store.at(key).header.rsn);
    }
  }

  std::mt19937_64 chance_;
  std::vector<model_node> nodes_;
  std::vector<pnn> map_;
  std::map<std::pair<pnn, pnn>, std::deque<wire_packet>> links_;
  std::map<std::string, std::string> last_written_;
  std::map<std::string, rsn> highest_;
  std::uint64_t requests_ = 0;
  int served_ = 0;
};

}  // namespace

TEST_CASE("random clusters: one dmaster at rest, every request answered, nothing old read") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    model m(seed, static_cast<std::uint32_t>(1 + seed % 5));
    m.run(400, static_cast<int>(1 + seed % 7));
    CHECK(m.served() == 400);
  }
}
