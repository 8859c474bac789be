#include "cli/replay/two_locks.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "actors/client/recovery_wait.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/cluster/wait_healthy.hpp"
#include "cli/cluster_state.hpp"
#include "cli/keys.hpp"
#include "cli/lock_picture.hpp"
#include "cli/output.hpp"
#include "cli/replay/puppet.hpp"
#include "cli/replay/records.hpp"
#include "cli/replay/report.hpp"
#include "cli/timeline/gather.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t nodes = 3, home = 0, victim = 1, far = 2;
constexpr std::size_t value_size = 200;
constexpr duration patience = seconds(30);
constexpr const char* hold_at = "set_vnn_map";
/// Of the leader for one step; short, so that the deadlock is found soon.
constexpr std::uint32_t recover_timeout_s = 3;

bytes key_of(std::size_t i) { return fmt::format("record-{:05}", i); }
bytes value_of(const bytes& key, const std::string& db, const std::string& word) {
  bytes v = fmt::format("{} of {}, {} ", key, db, word);
  v.resize(std::max(v.size(), value_size), '.');
  return v;
}

/// A node's report, in the terms of this story.
struct node_view {
  json report;
  std::string mode() const { return report.value("recovery_mode", ""); }
  std::uint32_t generation() const { return report.value("generation", 0U); }
  json database(const std::string& name) const {
    for (const auto& d : report.value("databases", json::array()))
      if (d.value("name", "") == name) return d;
    return json::object();
  }
  std::size_t leader() const {
    const auto l = report.value("leader", json());
    return l.is_number_unsigned() ? l.get<std::size_t>() : nodes;
  }
  std::string state(const std::string& db) const { return database(db).value("state", ""); }
};

}  // namespace

struct two_locks::impl {
  explicit impl(two_locks_options o) : options(std::move(o)), report(options.silent) {}

  two_locks_options options;
  story_report report;
  local_cluster cluster;
  std::vector<pid_t> pids;
  std::unique_ptr<stage> scene;
  std::unique_ptr<puppet> smbd;
  database_content locking{.name = "locking.tdb", .records = {}},
      brlock{.name = "brlock.tdb", .records = {}};
  bytes first_key, second_key;
  std::string first_line, second_line;  ///< what smbd is told
  std::uint32_t old_generation = 0, new_generation = 0;
  std::int64_t killed_us = 0, normal_us = 0;
  time_point killed_at;
  timeline_picture picture;
  std::vector<std::string> cycle;
  bool out_of_time = false;

  // --- helpers
  // -----------------------------------------------------------------------------------------------------

  bool expect(bool held, std::string_view text, double ms = -1) {
    return report.expect(held, text, ms);
  }
  double since(time_point t) const { return scene->ms_since(t); }
  time_point now() const { return scene->loop().now(); }

  std::optional<node_view> view(std::size_t node) {
    auto r = scene->control<control::get_node_status>(node, {});
    if (!r) return std::nullopt;
    auto j = json::parse(r->value.value, nullptr, false);
    if (!j.is_object()) return std::nullopt;
    return node_view{std::move(j)};
  }
  bool await(const std::function<bool()>& pleases) {
    if (scene->poll(pleases, patience)) return true;
    out_of_time = !scene->interrupted();
    return false;
  }
  bool await_view(std::size_t node, const std::function<bool(const node_view&)>& pleases) {
    return await([&] {
      const auto v = view(node);
      return v && pleases(*v);
    });
  }
  bool set_hold(const std::string& phase) {
    for (const std::size_t n : {home, far})
      if (!scene->control<control::set_hold_phase>(n, {phase})) return false;
    return true;
  }
  const puppet::answer* await_answer(const std::string& line, duration limit) {
    scene->run_until([&] { return smbd->answer_to(line) != nullptr; }, limit);
    return smbd->answer_to(line);
  }
  bool smbd_does(const std::string& line) {
    smbd->tell(line);
    const auto* a = await_answer(line, patience);
    return a && a->ok;
  }

  // --- the steps; each false if there is no use in going on
  // ------------------------------------------------------------

  bool start_cluster() {
    auto k = make_cluster({.dir = options.dir,
                           .nodes = nodes,
                           .prefix = {},
                           .extra_settings = options.freeze_all ? "freeze all first = true\n" : "",
                           .tunables = {{"RecoverTimeout", recover_timeout_s}}});
    if (!k) return expect(false, k.error());
    cluster = std::move(*k);
    pids.assign(nodes, 0);
    // the oldest node wins the election: the leader shall be neither smbd's node nor the one that
    // dies
    return start_node(far) &&
           await([this] { return node_process(cluster, far) || has_ended(pids[far]); }) &&
           start_node(home) && start_node(victim);
  }

  bool start_node(std::size_t n) {
    auto pid = start_node_process(cluster, static_cast<std::uint32_t>(n));
    if (pid) pids[n] = *pid;
    return pid || expect(false, fmt::format("node {} starts: {}", n, pid.error()));
  }

  bool become_healthy() {
    const auto took =
        wait_healthy(cluster, pids, seconds(60), [this](const std::vector<node_health>& all) {
          const auto well =
              static_cast<std::size_t>(std::ranges::count_if(all, &node_health::healthy));
          report.progress("nodes are healthy", well, all.size());
          scene->loop().settle();
          return !scene->interrupted();
        });
    if (!took) {
      out_of_time = took.error().code == timed_out;
      return expect(false, "three nodes are healthy: " + took.error().text);
    }
    return expect(true,
                  fmt::format("{} nodes are healthy: {} to {}, port {}", nodes, cluster.address(0),
                              cluster.address(nodes - 1), cluster.port),
                  std::chrono::duration<double, std::milli>(*took).count());
  }

  bool connect() {
    std::vector<std::string> sockets;
    for (std::uint32_t i = 0; i < nodes; ++i) sockets.push_back(cluster.socket(i));
    const auto r = scene->connect(sockets, patience);
    return r || expect(false, "clients connect: " + r.error().describe());
  }

  bool load() {
    const auto begin = now();
    std::size_t finished = 0;
    for (auto* d : {&locking, &brlock}) {
      for (std::size_t n = 0; n < nodes; ++n) {
        const auto id = scene->wait<db_id>([&](auto done) {
          attach(scene->node(n), d->name, db_kind::volatile_db, patience, done);
        });
        if (!id)
          return expect(false, fmt::format("{} is attached on node {}: {}", d->name, n,
                                           id.error().describe()));
        d->id = *id;
      }
      for (std::size_t i = 0; i < options.records; ++i)
        d->records[key_of(i)] = value_of(key_of(i), d->name, "first");
      const auto r = write_all(*scene, *d, std::nullopt, [&](std::size_t n) {
        report.progress("records are written", finished + n, 2 * options.records);
      });
      if (!r)
        return expect(false,
                      fmt::format("{} records are written: {}", d->name, r.error().describe()));
      finished += options.records;
    }
    return expect(true,
                  fmt::format("{} records of {} bytes in {} and {}, through clients of all nodes",
                              2 * options.records, value_size, locking.name, brlock.name),
                  since(begin));
  }

  /// A record of a volatile database lives where it was used last, and nowhere else: without this,
  /// what node 1 has would be lost with it.
  bool spread_copies() {
    const auto map = scene->control<control::getvnnmap>(home, {});
    if (!map || !scene->control<control::set_recmode>(home, recovery_mode::active))
      return expect(false, "a recovery can be asked for");
    const auto begin = now();
    const auto r = scene->wait<recovered_state>([&](auto done) {
      wait_recovered(scene->node(home), pnn::current, map->value.generation, patience, done);
    });
    return expect(r.has_value(), "a recovery has given every node a copy of every record",
                  since(begin));
  }

  /// So that all is as the story says, also when the election has gone another way.
  bool settle_leader() {
    const auto led_by = [&](std::size_t n) {
      return await_view(
          home, [&](const node_view& v) { return v.leader() == n && v.mode() == "NORMAL"; });
    };
    const auto v = view(home);
    if (v && v->leader() == far) return true;
    const auto allow = [&](std::uint32_t yes) {
      for (const std::size_t n : {home, victim})
        if (!scene->control<control::set_recmasterrole>(n, yes)) return false;
      return true;
    };
    return (allow(0) && led_by(far) && allow(1)) ||
           expect(false, fmt::format("node {} leads", far));
  }

  /// smbd's two records; the second lives on node 2 and is tracked by the node that is going to
  /// die.
  bool choose_records() {
    const auto map = scene->control<control::getvnnmap>(home, {});
    if (!map) return expect(false, "the vnn map is known: " + map.error().describe());
    old_generation = number(map->value.generation);
    first_key = key_of(0);
    for (std::size_t i = 1; i < options.records; ++i)
      if (lmaster_of(map->value, key_of(i)) == pnn{victim}) {
        second_key = key_of(i);
        break;
      }
    first_line = fmt::format("lock {} {} as first", locking.name, first_key);
    second_line = fmt::format("& lock {} {} as second", brlock.name, second_key);
    if (second_key.empty()) return expect(false, "a record that node 1 tracks");
    // it shall live on node 2
    brlock.records[second_key] = value_of(second_key, brlock.name, "by node 2");
    database_content one{.name = brlock.name,
                         .id = brlock.id,
                         .records = {{second_key, brlock.records[second_key]}}};
    const auto r = write_all(*scene, one, far, {});
    return r ||
           expect(false, fmt::format("node 2 writes {}: {}", second_key, r.error().describe()));
  }

  bool first_lock() {
    auto p = puppet::start(scene->loop(), cluster.base(home), "smbd");
    if (!p) return expect(false, "smbd starts: " + p.error());
    smbd = std::move(*p);
    const auto begin = now();
    const bool granted = smbd_does(first_line);
    return expect(granted,
                  fmt::format("smbd (pid {}) on node {} holds the lock of {} of {}", smbd->pid(),
                              home, first_key, locking.name),
                  since(begin));
  }

  bool kill_a_node() {
    if (!set_hold(hold_at)) return expect(false, "the next recovery will be held");
    killed_us = scene->loop().wall_us();
    killed_at = now();
    ::kill(pids[victim], SIGKILL);
    ::waitpid(pids[victim], nullptr, 0);
    const bool active = await_view(home, [](const node_view& v) { return v.mode() != "NORMAL"; });
    return expect(active, fmt::format("node {} is killed; recovery mode is ACTIVE", victim),
                  since(killed_at));
  }

  bool recovery_begins() {
    json recovery;
    std::size_t leader = nodes;
    const bool held = await([&] {
      for (const std::size_t n : {home, far}) {
        const auto v = view(n);
        if (!v) continue;
        recovery = v->report.value("recovery", json());
        if (!recovery.is_object() || recovery.value("phase", "") != hold_at) continue;
        leader = n;
        return true;
      }
      return false;
    });
    new_generation = held ? recovery.value("generation", 0U) : 0;
    return expect(held && new_generation != old_generation,
                  held ? fmt::format("node {} leads a recovery with generation {}, after {}",
                                     leader, new_generation, old_generation)
                       : "a leader starts a recovery",
                  since(killed_at));
  }

  bool second_lock_waits() {
    smbd->tell(second_line);
    const auto begin = now();
    std::string why;
    const bool waits = await_view(home, [&](const node_view& v) {
      for (const auto& w : v.database(brlock.name).value("waiters", json::array()))
        if (w.value("pid", 0) == smbd->pid()) {
          why = w.value("why", "");
          return true;
        }
      return false;
    });
    return expect(
        waits, fmt::format("smbd waits for the lock of {} of {}: {}", second_key, brlock.name, why),
        since(begin));
  }

  bool second_lock_comes() {
    const auto begin = now();
    if (!set_hold("")) return expect(false, "the recovery goes on");
    const auto* a = await_answer(second_line, patience);
    const double ms = since(begin);
    // at once: what the node says now is what was true when the lock was granted
    const auto v = view(home);
    if (!expect(a && a->ok, fmt::format("smbd gets the lock of {} of {}", second_key, brlock.name),
                ms)) {
      out_of_time = !a;
      return false;
    }
    expect(a->value == brlock.records[second_key], "with the record as it was written last");
    const auto d = v ? v->database(locking.name) : json::object();
    expect(d.value("state", "") == "freezing" && d.value("holders", json::array()).size() == 1,
           fmt::format("meanwhile {} is still freezing, waiting for {} holder", locking.name,
                       d.value("holders", json::array()).size()));
    expect(v && v->state(brlock.name) == "thawed" &&
               v->database(brlock.name).value("generation", 0U) == new_generation,
           fmt::format("{} is thawed, its generation is the new one", brlock.name));
    expect(v && v->mode() != "NORMAL", "recovery mode is still ACTIVE");
    check_resend();
    return true;
  }

  void check_resend() {
    std::int64_t asked = 0, again = 0, thawed = 0;
    bool good_generation = false;
    for (const auto& e : events_since_kill({home})) {
      if (e.db != brlock.name) continue;
      const bool mine = parse_octets("0x" + std::string(e.value("key"))) == second_key;
      if (e.name == "migration-sent" && mine) asked = e.t_us;
      if (e.name == "freeze-state" && e.change().second == "thawed") thawed = e.t_us;
      if (e.name == "migration-resent" && mine) {
        again = e.t_us;
        good_generation = e.number_of("gen") == static_cast<std::int64_t>(new_generation);
      }
    }
    expect(
        asked > 0 && again > asked && good_generation && thawed > asked,
        "the request that waited was sent again under the new generation, when its database thawed",
        again > asked && asked > 0 ? static_cast<double>(again - asked) / 1000 : -1);
  }

  bool write_and_let_go() {
    const auto begin = now();
    locking.records[first_key] = value_of(first_key, locking.name, "by smbd");
    brlock.records[second_key] = value_of(second_key, brlock.name, "by smbd");
    const bool good = smbd_does(fmt::format("store first \"{}\"", locking.records[first_key])) &&
                      smbd_does(fmt::format("store second \"{}\"", brlock.records[second_key])) &&
                      smbd_does("unlock second") && smbd_does("unlock first");
    if (!expect(good, "smbd writes both records and gives the locks back", since(begin)))
      return false;
    const auto normal = [&](const node_view& v) {
      return v.mode() == "NORMAL" && v.generation() == new_generation &&
             v.state(locking.name) == "thawed" && v.state(brlock.name) == "thawed";
    };
    const bool over = await_view(home, normal) && await_view(far, normal);
    normal_us = scene->loop().wall_us();
    return expect(over,
                  fmt::format("{} freezes, recovers, thaws; recovery mode is NORMAL", locking.name),
                  since(begin));
  }

  bool node_returns() {
    const auto begin = now();
    if (!start_node(victim) || !become_healthy() || !connect()) return false;
    const auto map = scene->control<control::getvnnmap>(victim, {});
    return expect(map && map->value.slots.size() == nodes,
                  fmt::format("node {} is back and tracks records again", victim), since(begin));
  }

  bool read_everything() {
    const auto begin = now();
    comparison sum;
    const std::size_t all = 2 * nodes * options.records;
    for (std::size_t n = 0; n < nodes; ++n)
      for (const auto* d : {&locking, &brlock}) {
        const auto before = sum.read;
        const auto c = read_all(*scene, n, *d, [&](std::size_t k) {
          report.progress("records are read", before + k, all);
        });
        if (!c)
          return expect(false,
                        fmt::format("{} is read on node {}: {}", d->name, n, c.error().describe()));
        sum.read += c->read;
        sum.missing += c->missing;
        sum.different += c->different;
        if (sum.example.empty()) sum.example = c->example;
      }
    return expect(
        sum.missing == 0 && sum.different == 0 && sum.read == all,
        fmt::format("{} records read, every record on every node: {} lost, {} old{}", sum.read,
                    sum.missing, sum.different, sum.example.empty() ? "" : "; " + sum.example),
        since(begin));
  }

  // --- the timeline
  // ------------------------------------------------------------------------------------------------------

  std::vector<timed_event> events_since_kill(const std::vector<std::size_t>& from) {
    std::vector<timed_event> all;
    const auto options_text = fmt::format("{{\"since_us\":{}}}", killed_us);
    for (const auto n : from) {
      const auto r = scene->control<control::get_timeline>(n, {options_text});
      if (r) add_events(all, r->value.value);
    }
    sort_events(all);
    return all;
  }

  void take_picture(std::int64_t until_us) {
    picture = make_picture(events_since_kill({home, far}), killed_us - 2000, until_us + 2000);
  }

  void show_picture() {
    const bool rows =
        std::ranges::any_of(picture.rows,
                            [&](const timeline_row& r) { return r.db == brlock.name; }) &&
        std::ranges::any_of(picture.rows,
                            [&](const timeline_row& r) { return r.db == locking.name; });
    expect(rows, "both databases are on the timeline");
    report.say("\n" + draw(picture, options.width, options.colours));
  }

  // --- all databases frozen together
  // -----------------------------------------------------------------------------------

  /// What the leader says about it, once it has said it; the circle as it was last seen.
  bool deadlock_is_found() {
    const auto begin = now();
    if (!set_hold("")) return expect(false, "the recovery goes on");
    json verdict;
    const bool found = await([&] {
      if (smbd->answer_to(second_line)) return true;
      lock_picture locks;
      for (const std::size_t n : {home, far}) {
        const auto v = view(n);
        if (!v) continue;
        locks.add(v->report.dump());
        const auto recovery = v->report.value("recovery", json());
        if (recovery.is_object() && recovery.contains("deadlock")) verdict = recovery["deadlock"];
      }
      if (auto circle = find_cycle(locks); !circle.empty()) cycle = std::move(circle);
      return verdict.is_object();
    });
    const double ms = since(begin);
    if (smbd->answer_to(second_line))
      return expect(false, "smbd gets no lock while all databases are frozen together");
    if (!expect(found, "the leader finds the deadlock at its deadline", ms)) return false;
    normal_us = scene->loop().wall_us();
    const auto list = [](const json& j) {
      std::string out;
      for (const auto& d : j) out += (out.empty() ? "" : ", ") + d.get<std::string>();
      return out;
    };
    expect(true,
           fmt::format("frozen: {}; not frozen: {}", list(verdict.value("frozen", json::array())),
                       list(verdict.value("not_frozen", json::array()))));
    return expect(!cycle.empty(), "and it is a circle");
  }

  void show_cycle() {
    std::string text =
        "\n" + paint(style::bad, "Deadlock. These wait for each other:", options.colours) + "\n";
    for (const auto& s : cycle) text += "  " + s + "\n";
    report.say(text);
  }

  // --- life
  // ---------------------------------------------------------------------------------------------------------------

  bool play_steps() {
    report.title("Two locks, one recovery");
    report.step(1, "three nodes, two databases, a lock");
    if (!start_cluster() || !become_healthy() || !connect() || !settle_leader() || !load() ||
        !spread_copies() || !choose_records() || !first_lock())
      return false;
    report.step(2, "a node is lost");
    if (!kill_a_node() || !recovery_begins()) return false;
    report.step(3, "a second lock, in the middle of the recovery");
    if (!second_lock_waits()) return false;
    if (options.freeze_all) {
      if (!deadlock_is_found()) return false;
      take_picture(normal_us);
      report.say("\n" + draw(picture, options.width, options.colours));
      show_cycle();
      return true;
    }
    if (!second_lock_comes()) return false;
    report.step(4, "the holder finishes");
    if (!write_and_let_go()) return false;
    take_picture(normal_us);
    report.step(5, "the node comes back");
    if (!node_returns() || !read_everything()) return false;
    report.step(6, "what happened when");
    show_picture();
    return true;
  }

  void take_down() {
    smbd.reset();
    if (cluster.dir.empty()) return;
    const auto killed = stop_cluster(cluster, seconds(10));
    // what was started and never took its pid file
    for (const pid_t p : pids)
      if (!has_ended(p)) {
        ::kill(p, SIGKILL);
        ::waitpid(p, nullptr, 0);
      }
    for (const auto n : killed) expect(false, fmt::format("node {} ends when it is asked to", n));
  }

  exit_code play() {
    scene = std::make_unique<stage>(nodes);
    const bool to_the_end = play_steps();
    const bool interrupted = scene->interrupted();
    take_down();
    if (interrupted) return report.say("\ninterrupted\n"), failed;
    if (!to_the_end || !report.everything_held()) return out_of_time ? timed_out : failed;
    report.say(options.freeze_all
                   ? "\n"
                   : "\n" + paint(style::good, "Everything held.", options.colours) + "\n");
    return options.freeze_all ? says_no : done;
  }
};

two_locks::two_locks(two_locks_options o) : impl_(std::make_unique<impl>(std::move(o))) {}
two_locks::~two_locks() = default;

exit_code two_locks::play() { return impl_->play(); }

void two_locks::put(wire::json_writer& j) const {
  impl_->report.put(j);
  j.begin_list("cycle");
  for (const auto& s : impl_->cycle) j.text({}, s);
  j.end();
  j.begin_object("timeline");
  put_picture(j, impl_->picture, {});
  j.end();
}

}  // namespace floe::cli
