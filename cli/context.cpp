#include "cli/context.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "cli/config/places.hpp"
#include "cli/diagnosis.hpp"
#include "cli/errors_as_json.hpp"
#include "cli/output.hpp"
#include "cli/say.hpp"
#include "cli/socket_owner.hpp"
#include "cli/whole_number.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/json.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

bool errors_are_json = false;

/// Why a question was not answered is not waited for as long as the answer was.
constexpr duration second_question = std::chrono::milliseconds(700);

/// In which a node that is well says who it is.
constexpr duration soon = std::chrono::seconds(1);

/// As far as this user may look.
bool is_there(const std::string& path) {
  std::error_code hidden;
  return std::filesystem::exists(path, hidden);
}

exit_code code_of(client_errc e) {
  switch (e) {
    case client_errc::not_connected: return no_node;
    case client_errc::timed_out: return timed_out;
    case client_errc::disconnected:
    case client_errc::refused:
    case client_errc::bad_reply: break;
  }
  return failed;
}

const char* hint(const client_error& e) {
  switch (e.code) {
    case client_errc::not_connected: return "";
    case client_errc::timed_out:
      if (e.status == record_status_timed_out)
        return "; `floe locks` shows who holds it, -t waits longer";
      return "; `floe status` shows how the node is, -t waits longer";
    case client_errc::disconnected: return "; the node's log says why";
    case client_errc::refused: return e.text.empty() ? "; the node's log says why" : "";
    case client_errc::bad_reply: return "; is that a floe node or a ctdbd of version 4.17?";
  }
  return "";
}

std::optional<std::vector<pnn>> parse_list(std::string_view text) {
  std::vector<pnn> out;
  if (text.ends_with(',')) return std::nullopt;
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto n = whole_number<std::uint32_t>(item);
    if (!n) return std::nullopt;
    out.push_back(pnn{*n});
  }
  if (out.empty()) return std::nullopt;
  return out;
}

/// What a directory is, if it is none of a node; what may be meant.
std::string wrong_directory(const std::string& base) {
  if (base.empty()) return {};
  if (is_there(base + "/node.0"))
    return fmt::format("{} holds a cluster, try --base {}/node.0", base, base);
  std::error_code unseen;  // one that this user may not look at may be there
  if (std::filesystem::exists(base, unseen) || unseen) return {};
  std::vector<std::string> others;
  std::error_code ignored;
  const auto wanted = std::filesystem::absolute(base, ignored).lexically_normal();
  for (const auto& there : std::filesystem::directory_iterator(wanted.parent_path(), ignored))
    if (is_there(there.path().string() + "/nodes"))
      others.push_back(there.path().filename().string());
  std::ranges::sort(others);
  if (others.size() > 5) others.resize(5);
  return "there is no directory " + base +
         (others.empty() ? "" : fmt::format("; beside it: {}", fmt::join(others, ", ")));
}

std::string names_of(const std::vector<pnn>& nodes) {
  std::string text = nodes.size() == 1 ? "node" : "nodes";
  for (const pnn p : nodes) text += (p == nodes.front() ? " " : ", ") + std::to_string(number(p));
  return text;
}

/// A node says so of another one that it has lost.
bool is_lost(const client_error& e) {
  return e.code == client_errc::refused && e.cause == failure_cause::disconnected;
}

/// A node that is stopped is waited for only as long as one that is a little late.
result<blocking_client> connect(const std::string& socket, duration patience) {
  auto c = blocking_client::connect(socket, std::min(patience, soon));
  const bool late = !c && c.error().code == client_errc::timed_out && patience > soon;
  if (!late || is_stopped(socket)) return c;
  if (::isatty(STDERR_FILENO) == 1)
    say("{}\n", wrapped("floe: waits for the node: " + why_no_answer(socket),
                        line_limit(STDERR_FILENO), 2));
  return blocking_client::connect(socket, patience - soon);
}

}  // namespace

void print_errors_as_json() { errors_are_json = true; }
bool prints_errors_as_json() { return errors_are_json; }

void print_error(std::string_view line) {
  flush_output();
  if (!errors_are_json)
    return say("{}\n", wrapped("floe: " + wire::visible(line), line_limit(STDERR_FILENO), 2));
  wire::json_writer j;
  j.begin_object();
  j.number("schema", 1);
  j.text("error", line);
  j.end();
  say("{}\n", j.take());
}

std::string node_text(pnn p) {
  return p == pnn::current ? "this node" : "node " + std::to_string(number(p));
}

duration context::patience() const {
  return std::chrono::duration_cast<duration>(
      std::chrono::duration<double>(options.timeout_s.value_or(10)));
}
duration context::long_patience() const {
  return std::chrono::duration_cast<duration>(
      std::chrono::duration<double>(options.timeout_s.value_or(120)));
}

std::string context::socket_path() const {
  return options.socket.empty() ? places_of(options.base).socket : options.socket;
}

std::expected<blocking_client*, exit_code> context::node() {
  if (node_) return &*node_;
  if (options.socket.empty() && options.base.empty() && !is_there(socket_path()))
    return std::unexpected(
        misused(fmt::format("which node? None runs here as a service ({} is not there): give "
                            "--base DIR (a node's directory), --socket PATH, "
                            "or set CTDB_BASE",
                            socket_path())));
  auto c = connect(socket_path(), patience());
  if (!c) {
    std::string try_this = "; " + why_no_answer(socket_path());
    if (const auto better = options.socket.empty() ? wrong_directory(options.base) : "";
        !better.empty())
      try_this = "; " + better;
    print_error(
        fmt::format("{}: {}{}", socket_path(), wire::visible(c.error().describe()), try_this));
    return std::unexpected(code_of(c.error().code));
  }
  node_.emplace(std::move(*c));
  if (!options.doing.empty()) waits_.emplace(*node_, options.doing);
  return &*node_;
}

std::expected<std::vector<pnn>, exit_code> context::targets(const std::string& names) {
  auto c = node();
  if (!c) return std::unexpected(c.error());
  if (names.empty()) return std::vector{(*c)->self()};
  const auto map = (*c)->control<control::get_nodemap>(pnn::current, {}, patience());
  if (!map) return std::unexpected(fail("nodes of the cluster", map.error()));
  std::vector<pnn> all;
  for (const auto& n : map->value.nodes)
    if (!(n.flags & node_flag::deleted)) all.push_back(n.pnn);
  if (names == "all") return all;
  const auto wanted = parse_list(names);
  if (!wanted)
    return std::unexpected(misused("-n takes a node's number, several joined by commas, or `all`"));
  for (const pnn p : *wanted)
    if (std::ranges::find(all, p) == all.end())
      return std::unexpected(misused(
          fmt::format("there is no node {}: the cluster has {}", number(p), names_of(all))));
  return *wanted;
}

std::expected<pnn, exit_code> context::target() {
  auto all = targets();
  if (!all) return std::unexpected(all.error());
  if (all->size() != 1)
    return std::unexpected(misused("this command asks one node: give one number to -n"));
  return all->front();
}

std::string context::cause_of_silence(pnn asked) const {
  if (!node_) return {};
  const auto map = node_->control<control::get_nodemap>(pnn::current, {}, second_question);
  if (!map) return {};
  const auto first = asked == pnn::current ? node_->self() : asked;
  const auto d = diagnose(*node_, map->value, first, second_question);
  std::string cause;
  if (wanted_) cause = who_has(d.reports, wanted_->db, wanted_->key);
  const auto all = in_fewer_words(d.troubles);
  // what is wrong with a database that is wanted says more than what is wrong elsewhere
  const auto say = [&](auto is_meant) {
    const auto t =
        std::ranges::find_if(all, [&](const auto& one) { return one.ill && is_meant(one); });
    if (cause.empty() && t != all.end()) cause = with_age(*t);
  };
  say([&](const auto& t) { return wanted_ && !t.db.empty() && db_id_of(t.db) == wanted_->db; });
  say([&](const auto& t) { return !t.node || t.node == first; });
  say([](const auto&) { return true; });
  return cause;
}

exit_code context::fail(std::string_view what, const client_error& e) const {
  if (is_lost(e)) {
    print_error(
        fmt::format("{}: {}: not connected; `floe status` shows who is", what, node_text(e.node)));
    return no_node;
  }
  const auto said = wire::visible(e.text);
  const auto cause = e.code == client_errc::timed_out ? cause_of_silence(e.node) : std::string();
  if (e.code == client_errc::refused && !said.empty())
    print_error(fmt::format("{}: {} refuses: {}", what, node_text(e.node), said));
  else if (!cause.empty())
    print_error(fmt::format("{}: {}: timed out: {}{}; {}", what, node_text(e.node),
                            // that a lock was not granted in time says no more than that
                            said.empty() || e.status == record_status_timed_out ? "" : said + "; ",
                            cause,
                            wanted_ ? "`floe locks` and `floe doctor` show more, -t waits longer"
                                    : "`floe doctor` shows more, -t waits longer"));
  else
    print_error(
        fmt::format("{}: {}: {}{}", what, node_text(e.node), wire::visible(e.describe()), hint(e)));
  return code_of(e.code);
}

exit_code context::fail(std::string_view why) const {
  print_error(why);
  return failed;
}

exit_code context::misused(std::string_view why) const {
  print_error(why);
  return wrong_use;
}

}  // namespace floe::cli
