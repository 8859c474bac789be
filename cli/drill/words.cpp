#include "cli/drill/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/drill/stage.hpp"
#include "cli/duration_text.hpp"
#include "cli/suggest.hpp"

namespace floe::cli::drill {
namespace {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = closest(word, names);
  return near ? fmt::format("; did you mean {}?", *near) : std::string();
}

node_ref fixed(std::size_t n) {
  return [n](stage& s) -> std::expected<std::size_t, std::string> {
    s.it = n;
    return n;
  };
}

/// A node that is up and running, chosen by the drill's chance among those that pass.
node_ref chosen(std::string what, bool (*pass)(stage&, std::size_t)) {
  return [what = std::move(what), pass](stage& s) -> std::expected<std::size_t, std::string> {
    std::vector<std::size_t> those;
    s.look_around();
    for (std::size_t n = 0; n < s.cluster().size(); ++n)
      if (s.cluster().responsive(n) && pass(s, n)) those.push_back(n);
    if (those.empty()) return std::unexpected("there is no " + what + " now");
    s.it = those[s.pick(those.size())];
    return s.it;
  };
}

}  // namespace

bool scope::knows_client(std::string_view name) const {
  return std::ranges::find(clients, name) != clients.end();
}

std::optional<std::uint64_t> parse_count(std::string_view t) {
  std::uint64_t n = 0;
  const auto r = std::from_chars(t.data(), t.data() + t.size(), n);
  if (t.empty() || r.ec != std::errc() || r.ptr != t.data() + t.size()) return std::nullopt;
  return n;
}

void words::fail(std::string why) {
  if (!error_) error_ = std::move(why);
}

void words::miss(std::string_view expected) {
  const auto before = next_ > 0 ? " after `" + all_[next_ - 1] + "`" : std::string();
  if (next_ < all_.size())
    fail(fmt::format("expected {}{}, found `{}`", expected, before, all_[next_]));
  else
    fail(fmt::format("expected {}{}, but the line ends there", expected, before));
}

bool words::take(std::string_view word) {
  if (at_end() || all_[next_] != word) return false;
  ++next_;
  return true;
}

void words::expect(std::string_view word) {
  if (!take(word)) miss(fmt::format("`{}`", word));
}

std::string words::word(std::string_view what) {
  if (at_end()) {
    miss(what);
    return {};
  }
  return all_[next_++];
}

duration words::time() {
  auto text = peek();
  if (text.ends_with(':')) text.remove_suffix(1);
  const auto d = text.empty() ? std::nullopt : parse_duration(text);
  if (!d) {
    miss("a duration such as 500ms or 2s");
    return {};
  }
  ++next_;
  return *d;
}

std::uint64_t words::count(std::uint64_t least, std::uint64_t most, std::string_view what) {
  const auto n = parse_count(peek());
  if (!n || *n < least || *n > most) {
    miss(fmt::format("{} from {} to {}", what, least, most));
    return least;
  }
  ++next_;
  return *n;
}

double words::percent() {
  auto text = peek();
  if (!text.empty() && text.ends_with('%')) text.remove_suffix(1);
  double n = -1;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size() || n < 0 || n > 90) {
    miss("a percentage from 0% to 90%");
    return 0;
  }
  ++next_;
  return n / 100;
}

std::uint64_t words::size() {
  auto text = peek();
  std::uint64_t unit = 1;
  for (const auto& [suffix, bytes] : {std::pair<std::string_view, std::uint64_t>{"kB", 1000}, {"MB", 1'000'000}})
    if (text.ends_with(suffix)) {
      text.remove_suffix(2);
      unit = bytes;
    }
  const auto n = parse_count(text);
  if (!n || *n == 0 || *n > 1'000'000'000) {
    miss("a number of bytes such as 200, 20kB or 1MB");
    return 1;
  }
  ++next_;
  return *n * unit;
}

node_ref words::node(bool or_deleted) {
  const auto text = peek();
  if (const auto n = parse_count(text)) {
    if (*n >= names.nodes) {
      fail(fmt::format("there is no node {}: the cluster has nodes 0 to {}", *n, names.nodes - 1));
      return {};
    }
    if (!or_deleted && names.deleted.contains(*n)) {
      fail(fmt::format("node {} has been deleted by a line above", *n));
      return {};
    }
    ++next_;
    return fixed(*n);
  }
  if (take("leader"))
    return chosen("leader", [](stage& s, std::size_t n) { return s.leader() == n; });
  if (take("follower"))
    return chosen("follower", [](stage& s, std::size_t n) { return s.leader() != n; });
  if (take("any")) return chosen("running node", [](stage&, std::size_t) { return true; });
  if (take("it")) return [](stage& s) -> std::expected<std::size_t, std::string> { return s.it; };
  if (std::ranges::find(names.node_names, text) != names.node_names.end()) {
    ++next_;
    return [name = std::string(text)](stage& s) -> std::expected<std::size_t, std::string> {
      const auto i = s.named_nodes.find(name);
      if (i == s.named_nodes.end()) return std::unexpected("no node has been called " + name + " yet");
      return s.it = i->second;
    };
  }
  miss("a node (a number, leader, follower, any, it, or a name given with `let`)");
  return {};
}

std::vector<node_ref> words::nodes(bool or_deleted) {
  std::vector<node_ref> list;
  if (take("all")) {
    for (std::size_t n = 0; n < names.nodes; ++n)
      if (!names.deleted.contains(n)) list.push_back(fixed(n));
    return list;
  }
  const std::string text(peek());
  if (text.find(',') == std::string::npos) {
    list.push_back(node(or_deleted));
    return list;
  }
  ++next_;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    words one({text.substr(begin, end - begin)}, names);
    list.push_back(one.node(or_deleted));
    if (one.error()) fail(*one.error());
    begin = end + 1;
  }
  return list;
}

std::string words::database() {
  const std::string name(peek());
  if (std::ranges::find(names.databases, name) == names.databases.end()) {
    if (name.empty())
      miss("a database");
    else
      fail(fmt::format("no line above attaches a database `{}`{}", name, did_you_mean(name, names.databases)));
    return {};
  }
  ++next_;
  return name;
}

std::string words::volatile_database() {
  auto name = database();
  if (names.transactional.contains(name)) fail(fmt::format("{} is written by transactions: expected a volatile database", name));
  return name;
}

std::string words::transactional_database() {
  auto name = database();
  if (!error_ && !names.transactional.contains(name))
    fail(fmt::format("{} is volatile: expected a persistent or replicated database", name));
  return name;
}

std::string words::client() {
  const std::string name(peek());
  if (!names.knows_client(name)) {
    miss("the name of a client");
    return {};
  }
  ++next_;
  return name;
}

std::vector<std::pair<std::string, std::string>> words::settings() {
  std::vector<std::pair<std::string, std::string>> all;
  while (!at_end()) {
    const auto text = std::string(peek());
    const auto sign = text.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
      miss("NAME=VALUE");
      break;
    }
    ++next_;
    all.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return all;
}

void words::end() {
  if (!at_end()) miss("nothing more");
}

}  // namespace floe::cli::drill
