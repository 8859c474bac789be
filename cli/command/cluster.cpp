/// floe cluster: nodes on this machine's loopback addresses, to try things out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "cli/ask_nodes.hpp"
#include "cli/cluster/deleted_node.hpp"
#include "cli/cluster/directory_lock.hpp"
#include "cli/cluster/processes.hpp"
#include "cli/cluster/wait_healthy.hpp"
#include "cli/command/all.hpp"
#include "cli/command/cluster_version.hpp"
#include "cli/context.hpp"
#include "cli/errors_as_json.hpp"
#include "cli/output.hpp"
#include "cli/say.hpp"
#include "cli/whole_number.hpp"
#include "cli/wrap.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

const option dir_option{"--dir", "DIR", "where the nodes' directories are: DIR/node.0 ..."};

template <class Number>
bool read_number(const std::string& text, std::optional<Number>& to) {
  if (text.empty()) return true;
  to = whole_number<Number>(text);
  return to.has_value();
}

/// What a command waits for until all nodes are healthy: on a terminal a line that is written over and over; elsewhere,
/// unless errors are JSON, what is wrong, once, when it has been so for a while.
class shown_wait {
 public:
  explicit shown_wait(std::string what) : what_(std::move(what)) {}
  ~shown_wait() {
    if (terminal_) say("\r\033[K");
  }
  shown_wait(const shown_wait&) = delete;

  void show(const std::vector<node_health>& all) {
    if (terminal_) return write_over(all);
    if (prints_errors_as_json() || clock::now() - since_ < first_look) return;
    const auto why = complaint_of(all);
    if (why.text.empty() || std::exchange(told_, why.about) == why.about) return;
    print_error(what_ + " waits: " + why.text);
  }

 private:
  using clock = std::chrono::steady_clock;
  static constexpr auto first_look = std::chrono::seconds(3);

  static void write_over(const std::vector<node_health>& all) {
    std::string line;
    for (std::size_t i = 0; i < all.size(); ++i)
      line += fmt::format("{}node {}: {}", i ? ", " : "", i, all[i].text);
    say("\r\033[K{}", wire::visible(line).substr(0, terminal_width() - 1));
  }

  std::string what_, told_;
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  const clock::time_point since_ = clock::now();
};

void put_nodes(wire::json_writer& j, const local_cluster& k,
               const std::vector<node_health>& health) {
  j.text("dir", k.dir);
  j.text("address_prefix", k.prefix);
  j.number("port", k.port);
  j.begin_list("nodes");
  for (std::uint32_t i = 0; i < k.nodes; ++i) {
    j.begin_object();
    j.number("node", i);
    j.text("base", k.base(i));
    j.text("address", k.address(i));
    if (const auto pid = node_process(k, i))
      j.integer("pid", *pid);
    else
      j.null("pid");
    if (i < health.size()) {
      j.boolean("healthy", health[i].healthy);
      j.text("state", health[i].text);
    }
    j.end();
  }
  j.end();
}

/// The nodes that ran before the cluster grew read their nodes files again.
int tell_about_new_nodes(context& c, const local_cluster& k,
                         const std::vector<std::uint32_t>& running) {
  if (running.empty()) return done;
  auto node = blocking_client::connect(k.socket(running.front()), c.patience());
  if (!node) return c.fail("cluster up", node.error());
  std::vector<pnn> all;
  for (const auto n : running) all.push_back(pnn{n});
  return report_failures(
      c, "cluster up", node->control_many(all, control::reload_nodes_file, {}, c.long_patience()));
}

/// Starts what does not run, and waits until all is healthy.
int start_all(context& c, const cluster_options& w) {
  const auto alone = directory_lock::take(w.dir, c.long_patience());
  if (!alone) return c.fail(alone.error());
  const auto before = open_cluster(w.dir);
  std::vector<std::uint32_t> running;
  for (std::uint32_t i = 0; before && i < before->nodes; ++i)
    if (node_process(*before, i)) running.push_back(i);
  const auto k = make_cluster(w);
  if (!k) return c.fail(k.error());
  if (before && k->nodes > before->nodes)
    if (const int code = tell_about_new_nodes(c, *k, running); code != done) return code;
  const auto pids = start_missing_nodes(*k);
  if (!pids) return c.fail(pids.error());
  const auto took = [&] {
    shown_wait waits("cluster up");
    return wait_healthy(*k, *pids, c.long_patience(), [&](const auto& all) {
      waits.show(all);
      return true;
    });
  }();
  if (!took) {
    print_error(took.error().text + "; the logs are " + k->dir + "/node.*/log.*");
    return took.error().code;
  }
  // a damaged database keeps nobody from working with the others
  const auto now = look_at_cluster(*k, c.patience());
  for (std::size_t i = 0; i < now.size(); ++i)
    if (!now[i].healthy && now[i].report.empty())
      print_error(fmt::format("warning: node {}: {}", i, now[i].text));
  for (const auto& line : causes_of(now)) print_error("warning: " + line);
  const double ms = std::chrono::duration<double, std::milli>(*took).count();
  if (c.options.json) {
    auto j = open_json("cluster up");
    put_nodes(j, *k, {});
    j.real("ms", ms);
    print_json(std::move(j));
    return done;
  }
  std::uint32_t deleted = 0;
  for (std::uint32_t i = 0; i < k->nodes; ++i) deleted += is_deleted(*k, i);
  const auto first = k->address(0), last = k->address(k->nodes - 1);
  print_text(fmt::format(
      "{} healthy after {}: {}, port {}\n",
      k->nodes - deleted == 1 ? "1 node is" : fmt::format("{} nodes are", k->nodes - deleted),
      age_text(ms), first == last ? first : first + " to " + last, k->port));
  print(fmt::format("try:  {} --base {} status\n", program_invocation_name, k->base(0)));
  return done;
}

int add(context& c, const arguments& a) {
  if (a["--dir"].empty()) return c.misused("cluster add: to which one? Give --dir DIR");
  std::optional<std::uint32_t> more = 1;
  if (!read_number(a["COUNT"], more) || *more == 0)
    return c.misused("COUNT is a number, 1 or more: " + a["COUNT"]);
  const auto k = open_cluster(a["--dir"]);
  if (!k) return c.fail(k.error());
  cluster_options w{};
  w.dir = a["--dir"];
  w.nodes = k->nodes + *more;
  return start_all(c, w);
}

int up(context& c, const arguments& a) {
  cluster_options w{.dir = a["--dir"],
                    .prefix = a["--address-prefix"],
                    .cluster_lock = a["--cluster-lock"],
                    .extra_settings = {},
                    .tunables = {}};
  if (w.dir.empty()) return c.misused("cluster up: where? Give --dir DIR");
  if (!read_number(a["--nodes"], w.nodes))
    return c.misused("--nodes takes a number: " + a["--nodes"]);
  if (!read_number(a["--port"], w.port) || w.port == 0)
    return c.misused("--port takes a number from 1 to 65535: " + a["--port"]);
  return start_all(c, w);
}

int down(context& c, const arguments& a) {
  if (a["--dir"].empty()) return c.misused("cluster down: which one? Give --dir DIR");
  const auto k = open_cluster(a["--dir"]);
  if (!k) return c.fail(k.error());
  const auto alone = directory_lock::take(k->dir, c.long_patience());
  if (!alone) return c.fail(alone.error());
  std::uint32_t running = 0;
  for (std::uint32_t i = 0; i < k->nodes; ++i) running += node_process(*k, i).has_value();
  const auto killed = stop_cluster(
      *k, c.patience(), [since = std::chrono::steady_clock::now()](std::uint32_t node) {
        const std::chrono::duration<double, std::milli> ms =
            std::chrono::steady_clock::now() - since;
        if (ms.count() >= 1000 && ::isatty(STDERR_FILENO) == 1)
          say("\r\033[Kcluster down: waits for node {}, {}", node, age_text(ms.count()));
      });
  if (::isatty(STDERR_FILENO) == 1) say("\r\033[K");
  for (const auto i : killed)
    print_error(fmt::format("node {} did not end by itself and was killed", i));
  if (c.options.json) {
    auto j = open_json("cluster down");
    j.number("stopped", running);
    j.begin_list("killed");
    for (const auto i : killed) j.number({}, i);
    j.end();
    print_json(std::move(j));
  } else {
    print_text(fmt::format("{} of {} nodes were running, none is now\n", running, k->nodes));
  }
  return done;
}

int show(context& c, const arguments& a) {
  if (a["--dir"].empty()) return c.misused("cluster status: which one? Give --dir DIR");
  const auto k = open_cluster(a["--dir"]);
  if (!k) return c.fail(k.error());
  const auto all = look_at_cluster(*k, c.patience());
  const bool well = std::ranges::all_of(all, &node_health::healthy);
  const bool anybody = std::ranges::any_of(all, &node_health::reachable);
  if (c.options.json) {
    auto j = open_json("cluster status");
    put_nodes(j, *k, all);
    j.boolean("healthy", well);
    print_json(std::move(j));
  } else {
    table t({{"NODE", true}, {"ADDRESS"}, {"PID", true}, {"STATE"}, {"DIRECTORY", false, true}});
    for (std::uint32_t i = 0; i < k->nodes; ++i) {
      const auto pid = node_process(*k, i);
      t.row({std::to_string(i),
             k->address(i) + ":" + std::to_string(k->port),
             pid ? std::to_string(*pid) : "-",
             {!pid && !is_deleted(*k, i)                ? "not running"
              : all[i].healthy || all[i].report.empty() ? all[i].text
                                                        : "not healthy",
              all[i].healthy ? style::good : style::bad},
             {k->base(i), style::dim}});
    }
    print(t.text());
    for (const auto& line : causes_of(all)) print_line(line, 2, style::warn);
  }
  return well ? done : anybody ? says_no : no_node;
}

}  // namespace

command cluster_command() {
  command start{
      .name = "up",
      .group = "",
      .summary =
          "make the cluster if need be, start the nodes that do not run, wait until all is healthy",
      .example = "floe cluster up --nodes 3 --dir /tmp/c",
      .options = {dir_option,
                  {"--nodes", "N", "how many (3); more than there are: the cluster grows"},
                  {"--address-prefix", "127.A.B",
                   "node 0 gets 127.A.B.1 ...; without it a free one is found"},
                  {"--port", "PORT", "of all nodes (4379)"},
                  {"--cluster-lock", "LOCK",
                   "of a new cluster: a path, `!COMMAND ARGS`, or none (DIR/cluster.lock)"}},
      .run = up};
  command more{
      .name = "add",
      .group = "",
      .summary = "one node more, or COUNT, while the others run; returns when all is healthy",
      .example = "floe cluster add --dir /tmp/c\nfloe cluster add --dir /tmp/c 2",
      .positionals = {{"COUNT", "how many (1)", false}},
      .options = {dir_option},
      .run = add};
  command stop{.name = "down",
               .group = "",
               .summary = "end all nodes: SIGTERM, and SIGKILL to those that take longer than -t",
               .example = "floe cluster down --dir /tmp/c",
               .options = {dir_option},
               .run = down};
  command look{.name = "status",
               .group = "",
               .summary = "how each node is; exit 4 if one is not healthy",
               .example = "floe cluster status --dir /tmp/c && echo healthy",
               .options = {dir_option},
               .run = show};
  return {.name = "cluster",
          .group = "Start",
          .summary = "several nodes on this machine; what the nodes of a cluster run",
          .example =
              "floe cluster up --nodes 3 --dir /tmp/c\nfloe --base /tmp/c/node.0 status\nfloe "
              "cluster down --dir /tmp/c",
          .subcommands = {start, more, stop, look, cluster_version_command()}};
}

}  // namespace floe::cli
