#include "cli/lock_picture.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/keys.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

bytes from_hex(const std::string& hex) { return parse_octets("0x" + hex).value_or(bytes{}); }

lock_owner owner(const json& j, pnn node) {
  return {.node = node,
          .client = j.value("client", std::uint64_t{0}),
          .pid = j.value("pid", std::int64_t{0}),
          .name = j.value("name", "")};
}

/// A graph of sentences. A vertex is a text that is the same wherever the same thing is meant.
class wait_graph {
 public:
  void edge(const std::string& from, const std::string& to, std::string sentence) {
    edges_[from].push_back({to, std::move(sentence)});
  }
  std::vector<std::string> cycle() const {
    for (const auto& [start, ignored] : edges_) {
      std::vector<step> path;
      std::set<std::string> seen;
      if (search(start, start, path, seen)) {
        std::vector<std::string> out;
        for (const auto& s : path) out.push_back(s.sentence);
        return out;
      }
    }
    return {};
  }

 private:
  struct step {
    std::string to, sentence;
  };
  bool search(const std::string& at, const std::string& goal, std::vector<step>& path, std::set<std::string>& seen) const {
    const auto i = edges_.find(at);
    if (i == edges_.end() || !seen.insert(at).second) return false;
    for (const auto& s : i->second) {
      path.push_back(s);
      if (s.to == goal || search(s.to, goal, path, seen)) return true;
      path.pop_back();
    }
    return false;
  }
  std::map<std::string, std::vector<step>> edges_;
};

std::string vertex(const lock_owner& o) { return fmt::format("client {} {}", number(o.node), o.client); }
std::string vertex(const std::string& db) { return "recovery of " + db; }
std::string record_text(const std::string& db, const bytes& key) { return fmt::format("record {} of {}", show_octets(key), db); }

void add_waits(wait_graph& g, const lock_picture& p) {
  for (const auto& w : p.waiting) {
    if (w.who.client == 0) continue;
    for (const auto& h : p.held)
      if (h.db == w.db && h.key == w.key)
        g.edge(vertex(w.who), vertex(h.who),
               fmt::format("{} waits for {}, which {} holds", to_text(w.who), record_text(w.db, w.key), to_text(h.who)));
    for (const auto& d : p.databases) {
      const bool concerns = d.db == w.db && d.state != "thawed" &&
                            (d.node == w.queue || w.why.ends_with(fmt::format("node-{}", number(d.node))));
      if (!concerns) continue;
      g.edge(vertex(w.who), vertex(d.db),
             fmt::format("{} waits for {}, which nobody gets while {} is {} on node {}", to_text(w.who),
                         record_text(w.db, w.key), d.db, d.state, number(d.node)));
      break;
    }
  }
}

void add_freezing(wait_graph& g, const lock_picture& p) {
  for (const auto& d : p.databases) {
    if (d.state != "freezing") continue;
    for (const auto& h : p.held)
      if (h.db == d.db && h.who.node == d.node)
        g.edge(vertex(d.db), vertex(h.who),
               fmt::format("{} cannot freeze on node {}: {} holds {}", d.db, number(d.node), to_text(h.who),
                           record_text(h.db, h.key)));
    if (!p.freeze_all) continue;
    std::set<std::string> others;
    for (const auto& o : p.databases)
      if (o.db != d.db && o.state != "thawed" && o.state != "freezing" && others.insert(o.db).second)
        g.edge(vertex(o.db), vertex(d.db),
               fmt::format("{} is frozen and stays so until all databases are frozen, {} too", o.db, d.db));
  }
}

}  // namespace

std::string to_text(const lock_owner& o) {
  if (o.client == 0) return fmt::format("node {}", number(o.node));
  return fmt::format("{} (pid {}, node {})", o.name, o.pid, number(o.node));
}

bool lock_picture::add(std::string_view report) {
  const auto j = json::parse(report, nullptr, false);
  if (!j.is_object() || !j.contains("node") || !j["node"].is_number_unsigned()) return false;
  const pnn node{j["node"].get<std::uint32_t>()};
  for (const auto& d : j.value("databases", json::array())) {
    const std::string db = d.value("name", "");
    databases.push_back({node, db, d.value("state", ""), d.value("state_age_ms", 0.0)});
    for (const auto& h : d.value("holders", json::array()))
      held.push_back({owner(h, node), db, from_hex(h.value("key", "")), h.value("age_ms", 0.0)});
    for (const auto& w : d.value("waiters", json::array())) {
      const pnn asks{w.value("node", number(node))};
      waiting.push_back({node, owner(w, asks), db, from_hex(w.value("key", "")), w.value("age_ms", 0.0), w.value("why", "")});
    }
  }
  if (const auto r = j.find("recovery"); r != j.end() && r->is_object() && r->value("freeze", "") == "all")
    freeze_all = true;
  return true;
}

std::vector<std::string> find_cycle(const lock_picture& p) {
  wait_graph g;
  add_waits(g, p);
  add_freezing(g, p);
  return g.cycle();
}

}  // namespace floe::cli
