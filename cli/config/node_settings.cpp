/// Which settings of ctdb.conf there are and what each does.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "actors/lock/cluster_lock.hpp"
#include "cli/config/node_files.hpp"
#include "cli/config/settings_file.hpp"
#include "cli/suggest.hpp"

namespace floe::cli {
namespace {

/// Empty if the value is good, else what is wrong with it.
using apply_function = std::string (*)(parsed_settings&, const std::string& value);

template <class T>
std::string set_bool(T& to, const std::string& value) {
  for (const auto* yes : {"true", "yes", "on", "1"})
    if (value == yes) return to = true, "";
  for (const auto* no : {"false", "no", "off", "0"})
    if (value == no) return to = false, "";
  return "must be true or false";
}

template <class Number>
std::string parse_number(const std::string& value, Number low, Number high, Number& to) {
  Number n{};
  const auto r = std::from_chars(value.data(), value.data() + value.size(), n);
  if (r.ec != std::errc() || r.ptr != value.data() + value.size() || n < low || n > high)
    return fmt::format("must be a number from {} to {}", low, high);
  to = n;
  return {};
}

std::string set_location(parsed_settings& p, const std::string& value) {
  if (value.starts_with("file:")) {
    p.setup.log_file = value.substr(5);
    return p.setup.log_file.empty() ? "names no file" : "";
  }
  if (value == "stderr") {
    p.setup.log_file.clear();
    return {};
  }
  if (value.starts_with("syslog")) return "syslog is not supported: file:PATH or stderr";
  return "must be file:PATH or stderr";
}

std::string set_level(parsed_settings& p, const std::string& value) {
  struct named {
    std::string_view name;
    log_level level;
  };
  static constexpr std::array levels = std::to_array<named>({{"ERROR", log_level::error},
                                                             {"WARNING", log_level::warning},
                                                             {"NOTICE", log_level::notice},
                                                             {"INFO", log_level::info},
                                                             {"DEBUG", log_level::debug}});
  std::string upper = value;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (const auto& l : levels)
    if (l.name == upper) return p.setup.level = l.level, "";
  return "must be ERROR, WARNING, NOTICE, INFO or DEBUG";
}

std::string set_cluster_lock(parsed_settings& p, const std::string& value) {
  auto wrong = wrong_lock_setting(value);
  if (wrong.empty()) p.setup.config.cluster_lock = value;
  return wrong;
}

std::string set_address(parsed_settings& p, const std::string& value) {
  p.node_address = value;
  return {};
}
std::string set_leader_capability(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.leader_capable, v);
}
std::string set_lmaster_capability(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.lmaster_capable, v);
}
std::string set_leader_timeout(parsed_settings& p, const std::string& v) {
  int seconds = 0;
  auto wrong = parse_number(v, 1, 3600, seconds);
  if (wrong.empty()) p.setup.config.leader_timeout = std::chrono::seconds(seconds);
  return wrong;
}
std::string set_directory(std::string& to, const std::string& v) {
  if (v.empty()) return "names no directory";
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
    p.setup.warnings.push_back(
        "[failover] disabled = false: this version moves no public addresses");
  return wrong;
}
std::string set_port(parsed_settings& p, const std::string& v) {
  int port = 0;
  auto wrong = parse_number(v, 1, 65535, port);
  if (wrong.empty()) p.port = static_cast<std::uint16_t>(port);
  return wrong;
}
std::string set_freeze_all(parsed_settings& p, const std::string& v) {
  return set_bool(p.setup.config.freeze_all_first, v);
}

struct known_setting {
  std::string_view section, name;
  apply_function apply;  ///< null: a setting of ctdbd that means nothing here
};
constexpr std::array known = std::to_array<known_setting>({
    {"logging", "location", set_location},
    {"logging", "log level", set_level},
    {"cluster", "cluster lock", set_cluster_lock},
    {"cluster", "recovery lock", set_cluster_lock},  // its name until CTDB 4.16
    {"cluster", "node address", set_address},
    {"cluster", "leader capability", set_leader_capability},
    {"cluster", "leader timeout", set_leader_timeout},
    {"cluster", "transport", nullptr},
    {"database", "volatile database directory", set_volatile_dir},
    {"database", "persistent database directory", set_persistent_dir},
    {"database", "state database directory", set_state_dir},
    {"database", "tdb mutexes", nullptr},
    {"database", "lock debug script", nullptr},
    {"event", "debug script", nullptr},
    {"failover", "disabled", set_failover},
    {"legacy", "realtime scheduling", nullptr},
    {"legacy", "lmaster capability", set_lmaster_capability},
    {"legacy", "ctdb start as stopped", set_start_stopped},
    {"legacy", "start as stopped", set_start_stopped},
    {"legacy", "start as disabled", set_start_disabled},
    {"legacy", "script log level", nullptr},
    {"floe", "port", set_port},
    {"floe", "freeze all first", set_freeze_all},
});

std::string unknown(const setting& s) {
  std::vector<std::string_view> sections, names;
  for (const auto& k : known) {
    if (k.name == s.name)
      return fmt::format("[{}] has no setting `{}`; it belongs into [{}]", s.section, s.name,
                         k.section);
    if (std::ranges::find(sections, k.section) == sections.end()) sections.push_back(k.section);
    if (k.section == s.section) names.push_back(k.name);
  }
  if (names.empty()) {
    const auto near = closest(s.section, sections);
    return fmt::format("there is no section [{}]{}", s.section,
                       near ? fmt::format("; did you mean [{}]?", *near) : "");
  }
  const auto near = closest(s.name, names);
  return fmt::format("[{}] has no setting `{}`{}", s.section, s.name,
                     near ? fmt::format("; did you mean `{}`?", *near)
                          : fmt::format("; there are: {}", fmt::join(names, ", ")));
}

}  // namespace

parsed_settings apply_settings(std::string_view text, const std::string& base) {
  parsed_settings p;
  auto& c = p.setup.config;
  c.base = base;
  c.nodes_file = base + "/nodes";
  c.socket = base + "/run/ctdbd.socket";
  c.volatile_dir = base + "/db/volatile";
  c.persistent_dir = base + "/db/persistent";
  c.state_dir = base + "/db/state";
  p.setup.pid_file = base + "/run/ctdbd.pid";
  p.setup.log_file = base + "/log.ctdb";
  const auto settings = read_settings(text);
  if (!settings) {
    p.errors.push_back(settings.error());
    return p;
  }
  for (const auto& s : *settings) {
    const auto k = std::ranges::find_if(
        known, [&](const known_setting& x) { return x.section == s.section && x.name == s.name; });
    if (k == known.end()) {
      p.errors.push_back(fmt::format("line {}: {}", s.line, unknown(s)));
    } else if (!k->apply) {
      p.setup.warnings.push_back(
          fmt::format("line {}: [{}] {} has no effect", s.line, s.section, s.name));
    } else if (const auto wrong = k->apply(p, s.value); !wrong.empty()) {
      p.errors.push_back(
          fmt::format("line {}: [{}] {} = {}: {}", s.line, s.section, s.name, s.value, wrong));
    }
  }
  return p;
}

}  // namespace floe::cli
