/// Which settings of ctdb.conf there are and what each does.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <limits>

#include "actors/lock/cluster_lock.hpp"
#include "cli/config/c_number.hpp"
#include "cli/config/node_files.hpp"
#include "cli/config/settings_file.hpp"
#include "cli/suggest.hpp"
#include "protocol/types/sock_addr.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

/// Empty if the value is good, else what is wrong with it.
using apply_function = std::string (*)(parsed_settings&, const std::string& value);

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string set_bool(bool& to, const std::string& value) {
  for (const auto* yes : {"true", "yes"})
    if (same_letters(value, yes)) return to = true, "";
  for (const auto* no : {"false", "no"})
    if (same_letters(value, no)) return to = false, "";
  return "must be true, yes, false or no";
}

/// Numbers are read as ctdbd reads them, by strtol: what follows the digits is ignored. That is accepted, and said.
void warn_of_rest(parsed_settings& p, const std::string& value, const leading_number& n) {
  if (n.length < value.size())
    p.setup.warnings.push_back(fmt::format("`{}` is read as {}", excerpt(value), n.value));
}
std::string set_number(parsed_settings& p, const std::string& value, std::uint64_t low,
                       std::uint64_t high, std::uint64_t& to) {
  const auto n = read_leading_number(value);
  if (!n || n->value < low || n->value > high)
    return fmt::format("must be a number from {} to {}", low, high);
  to = n->value;
  warn_of_rest(p, value, *n);
  return {};
}

std::string set_location(parsed_settings& p, const std::string& value) {
  auto target = parse_log_target(value);
  if (!target) return target.error();
  p.setup.log = std::move(*target);
  return {};
}

/// Samba's debug_level_parse (ctdb/common/logging.c): a number from 0 to 10, decimal whatever it begins with, or a name.
std::optional<std::int32_t> debug_level_of(parsed_settings& p, const std::string& value) {
  struct named {
    std::string_view name;
    std::int32_t level;
  };
  static constexpr std::array names = std::to_array<named>({{"ERROR", 0},
                                                            {"ERR", 0},
                                                            {"WARNING", 1},
                                                            {"WARN", 1},
                                                            {"NOTICE", 3},
                                                            {"INFO", 5},
                                                            {"DEBUG", 10}});
  for (const auto& n : names)
    if (same_letters(n.name, value)) return n.level;
  const auto number = read_leading_number(value, 10);
  if (!number || number->value > 10 || value.front() == '+') return std::nullopt;
  warn_of_rest(p, value, *number);
  return static_cast<std::int32_t>(number->value);
}
constexpr const char* level_names =
    "must be ERROR, WARNING, NOTICE, INFO, DEBUG or a number from 0 to 10";

std::string set_level(parsed_settings& p, const std::string& value) {
  const auto level = debug_level_of(p, value);
  if (!level) return level_names;
  p.setup.level = *level;
  return {};
}
std::string check_level(parsed_settings& p, const std::string& value) {
  return debug_level_of(p, value) ? "" : level_names;
}

std::string set_cluster_lock(parsed_settings& p, const std::string& value) {
  auto wrong = wrong_lock_setting(value);
  if (wrong.empty()) p.setup.config.cluster_lock = value;
  return wrong;
}

std::string set_quorum(parsed_settings& p, const std::string& value) {
  const auto rule = quorum_named(value);
  if (!rule) return "must be majority, lock or none";
  p.setup.config.quorum = *rule;
  p.lock_asked_for = *rule == quorum_rule::lock;
  return {};
}

std::string set_address(parsed_settings& p, const std::string& value) {
  const auto address = parse_address(value);
  if (!address) return "must be an IPv4 or IPv6 address, without leading zeros";
  p.node_address = address_text(*address);
  return {};
}
std::string set_leader_capability(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.leader_capable, v);
}
std::string set_lmaster_capability(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.lmaster_capable, v);
}
std::string set_leader_timeout(parsed_settings& p, const std::string& v) {
  std::uint64_t seconds = 0;
  auto wrong = set_number(p, v, 1, std::numeric_limits<std::int32_t>::max(), seconds);
  if (wrong.empty()) p.setup.config.leader_timeout = std::chrono::seconds(seconds);
  return wrong;
}
/// A directory that somebody has named is there, or is a typing mistake (or a disk that is not mounted): it is not made.
std::string set_directory(std::string& to, const std::string& v) {
  std::error_code problem;
  if (!fs::is_directory(v, problem))
    return problem ? "there is no such directory: " + problem.message() : "is no directory";
  to = v;
  return {};
}
std::string set_volatile_dir(parsed_settings& p, const std::string& v) {
  return set_directory(p.setup.config.volatile_dir, v);
}
std::string set_persistent_dir(parsed_settings& p, const std::string& v) {
  return set_directory(p.setup.config.persistent_dir, v);
}
std::string set_state_dir(parsed_settings& p, const std::string& v) {
  return set_directory(p.setup.config.state_dir, v);
}
std::string set_start_stopped(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.start_stopped, v);
}
std::string set_start_disabled(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.start_disabled, v);
}
std::string set_failover(parsed_settings& p, const std::string& v) {
  bool disabled = false;
  auto wrong = set_bool(disabled, v);
  if (wrong.empty() && !disabled)
    p.setup.warnings.push_back("this version moves no public addresses");
  return wrong;
}
std::string check_transport(parsed_settings&, const std::string& v) {
  return v == "tcp" ? "" : "must be tcp";
}
std::string set_nodes_list(parsed_settings& p, const std::string& v) {
  if (v == "!") return "must name a file, or a command after the !";
  p.setup.config.nodes_file = v;
  return {};
}
std::string set_port(parsed_settings& p, const std::string& v) {
  std::uint64_t port = 0;
  auto wrong = set_number(p, v, 1, 65535, port);
  if (wrong.empty()) p.port = static_cast<std::uint16_t>(port);
  return wrong;
}
std::string set_metrics(parsed_settings& p, const std::string& v) {
  auto place = parse_listen_place(v);
  if (!place) return place.error();
  p.setup.metrics = std::move(*place);
  return {};
}
std::string set_freeze_all(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.freeze_all_first, v);
}
std::string check_bool(parsed_settings&, const std::string& v) {
  bool ignored = false;
  return set_bool(ignored, v);
}
/// A script that is run by nobody here need not be there. But ctdbd looks for a file of this name beside ctdb.conf, whatever
/// folder is given, and does not start without it: who goes back to it should know.
std::string check_script(parsed_settings& p, const std::string& v) {
  const auto path = fs::path(p.setup.config.base) / fs::path(v).filename();
  std::error_code problem;
  const auto about = fs::status(path, problem);
  const auto* wrong = !fs::exists(about)            ? "is not there"
                      : !fs::is_regular_file(about) ? "is no file"
                      : (about.permissions() & fs::perms::owner_exec) == fs::perms::none
                          ? "is not executable"
                          : nullptr;
  if (wrong)
    p.setup.warnings.push_back(
        fmt::format("ctdbd would not start with this: {} {}", path.string(), wrong));
  return {};
}

struct known_setting {
  setting_info info;
  apply_function apply;
};
constexpr std::array known = std::to_array<known_setting>({
    {{"logging", "location",
      "file:PATH, stderr, syslog, syslog:nonblocking, syslog:udp, syslog:udp-rfc5424 or journal",
      "file:/var/log/ctdb/log.ctdb",
      "where the log goes; stderr and journal are floe's own, and the latter has every value of a "
      "line as a field",
      nullptr},
     set_location},
    {{"logging", "log level", "ERROR, WARNING, NOTICE, INFO, DEBUG or 0 to 10", "NOTICE",
      "what is written to it; read again when the process gets HUP, and set at run time by floe "
      "setdebug",
      nullptr},
     set_level},
    {{"cluster", "cluster lock", "PATH or !COMMAND", "",
      "who holds it leads, so that parts of a cluster that was cut do not both go on: a file on a "
      "file system that all nodes share, or a helper that "
      "takes a lock elsewhere; the same on every node",
      nullptr},
     set_cluster_lock},
    {{"cluster", "recovery lock", "PATH or !COMMAND", "",
      "the name of `cluster lock` until CTDB 4.16", nullptr},
     set_cluster_lock},
    {{"cluster", "node address", "ADDRESS", "",
      "which of the nodes this is; without it, the first whose address this machine has", nullptr},
     set_address},
    {{"cluster", "nodes list", "PATH or !COMMAND", "/etc/ctdb/nodes",
      "the file with the addresses of all nodes, one a line, or a command that prints them within "
      "ten seconds (since CTDB 4.21)",
      nullptr},
     set_nodes_list},
    {{"cluster", "leader capability", "true or false", "true", "whether this node may lead",
      nullptr},
     set_leader_capability},
    {{"cluster", "leader timeout", "SECONDS", "5",
      "nothing heard of a leader for so long: an election", nullptr},
     set_leader_timeout},
    {{"cluster", "transport", "tcp", "tcp", "how nodes talk", "nodes always talk over TCP"},
     check_transport},
    {{"database", "volatile database directory", "DIRECTORY", "/var/lib/ctdb/volatile",
      "databases that begin empty with the node; must be there", nullptr},
     set_volatile_dir},
    {{"database", "persistent database directory", "DIRECTORY", "/var/lib/ctdb/persistent",
      "databases that last; must be there", nullptr},
     set_persistent_dir},
    {{"database", "state database directory", "DIRECTORY", "/var/lib/ctdb/state",
      "what the node notes of itself; must be there", nullptr},
     set_state_dir},
    {{"database", "tdb mutexes", "true or false", "true", "how ctdbd locks records",
      "records are not kept in TDB files"},
     check_bool},
    {{"database", "lock debug script", "PATH", "", "what ctdbd runs when a lock is waited for",
      "`floe locks` says who holds what"},
     check_script},
    {{"event", "debug script", "PATH", "", "what ctdbd runs when an event script hangs",
      "no event scripts are run"},
     check_script},
    {{"failover", "disabled", "true or false", "false",
      "true: no public addresses are moved; this version never moves any", nullptr},
     set_failover},
    {{"legacy", "realtime scheduling", "true or false", "true", "the scheduling class of ctdbd",
      "the scheduling of the process is left to who starts it"},
     check_bool},
    {{"legacy", "lmaster capability", "true or false", "true",
      "whether this node tracks where records are", nullptr},
     set_lmaster_capability},
    {{"legacy", "start as stopped", "true or false", "false",
      "the node takes no part until floe continue", nullptr},
     set_start_stopped},
    {{"legacy", "start as disabled", "true or false", "false",
      "the node is disabled until floe enable", nullptr},
     set_start_disabled},
    {{"legacy", "script log level", "as log level", "ERROR",
      "what of event scripts' output ctdbd writes", "no event scripts are run"},
     check_level},
    {{"floe", "port", "1 to 65535", "4379",
      "where nodes find each other; without it the service `ctdb` of the machine; the same on "
      "every node",
      nullptr},
     set_port},
    {{"floe", "metrics", "127.0.0.1:PORT, [::1]:PORT or unix:PATH", "",
      "where /metrics, /livez and /readyz are served; without it nowhere", nullptr},
     set_metrics},
    {{"floe", "quorum", "majority, lock or none", "lock",
      "which part goes on when the cluster is cut: majority: one with more than half of the nodes, "
      "and no other recovers or commits; lock: the one with the cluster lock, or each if none is "
      "set; none: each, whoever has the lock; the same on every node",
      nullptr},
     set_quorum},
    {{"floe", "freeze all first", "true or false", "false",
      "diagnosis: recover as before 2015, all databases frozen together", nullptr},
     set_freeze_all},
});

bool known_section(std::string_view name) {
  return std::ranges::any_of(known, [&](const auto& k) { return k.info.section == name; });
}

std::string unknown_section(std::string_view name) {
  std::vector<std::string_view> sections;
  for (const auto& k : known)
    if (std::ranges::find(sections, k.info.section) == sections.end())
      sections.push_back(k.info.section);
  const auto near = closest(name, sections);
  return fmt::format("there is no section [{}]{}", excerpt(name),
                     near ? fmt::format("; did you mean [{}]?", *near) : "");
}

/// Of a section that there is.
std::string unknown_setting(const setting& s) {
  std::vector<std::string_view> names;
  for (const auto& k : known) {
    if (k.info.name == s.name)
      return fmt::format("[{}] has no setting `{}`; it belongs into [{}]", s.section, s.name,
                         k.info.section);
    if (k.info.section == s.section) names.push_back(k.info.name);
  }
  const auto near = closest(s.name, names);
  return fmt::format("[{}] has no setting `{}`{}", s.section, excerpt(s.name),
                     near ? fmt::format("; did you mean `{}`?", *near)
                          : fmt::format("; there are: {}", fmt::join(names, ", ")));
}

void apply_one(const setting& s, parsed_settings& p) {
  const auto k = std::ranges::find_if(known, [&](const known_setting& x) {
    return x.info.section == s.section && x.info.name == s.name;
  });
  if (k == known.end())
    return p.errors.push_back(fmt::format("line {}: {}", s.line, unknown_setting(s)));
  const auto where =
      fmt::format("line {}: [{}] {} = {}", s.line, s.section, s.name, excerpt(s.value));
  // an empty value is an error to ctdbd, too: `recovery lock =` must not mean a cluster without a lock
  if (s.value.empty())
    return p.errors.push_back(where + ": there is no value; leave the line out for the default");
  const auto warnings = p.setup.warnings.size();
  const auto wrong = k->apply(p, s.value);
  for (auto i = warnings; i < p.setup.warnings.size(); ++i)
    p.setup.warnings[i] = where + ": " + p.setup.warnings[i];
  if (!wrong.empty()) return p.errors.push_back(where + ": " + wrong);
  if (k->info.idle)
    p.setup.warnings.push_back(
        fmt::format("line {}: [{}] {} has no effect: {}", s.line, s.section, s.name, k->info.idle));
}

}  // namespace

std::vector<setting_info> all_settings() {
  std::vector<setting_info> all;
  for (const auto& k : known) all.push_back(k.info);
  return all;
}

parsed_settings default_settings(const node_places& places) {
  parsed_settings p;
  auto& c = p.setup.config;
  c.base = places.base;
  c.nodes_file = places.nodes;
  c.socket = places.socket;
  c.volatile_dir = places.volatile_dir;
  c.persistent_dir = places.persistent_dir;
  c.state_dir = places.state_dir;
  p.setup.pid_file = places.pid_file;
  p.setup.notify_dir =
      (fs::path(places.settings).parent_path() / "events" / "notification").string();
  p.setup.log = {.to = log_target::kind::file, .path = places.log_file};
  return p;
}

void apply_settings(std::string_view text, parsed_settings& p) {
  auto read = read_settings(text);
  p.errors = std::move(read.errors);
  for (const auto& s : read.sections)
    if (!known_section(s.name))
      p.errors.push_back(fmt::format("line {}: {}", s.line, unknown_section(s.name)));
  for (const auto& s : read.settings)
    if (known_section(s.section)) apply_one(s, p);
}

parsed_settings apply_settings(std::string_view text, const node_places& places) {
  auto p = default_settings(places);
  apply_settings(text, p);
  return p;
}

}  // namespace floe::cli
