#include "cli/drill/language/line_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/duration_text.hpp"
#include "cli/suggest.hpp"

namespace floe::cli::drill {
namespace {

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = closest(word, names);
  return near ? fmt::format("; did you mean {}?", *near) : std::string();
}

/// Of a list of words that may stand there the one that was misspelt. Descriptions ("a duration") are none.
std::string meant(std::string_view expected, std::string_view found) {
  if (expected.starts_with("a ") || expected.starts_with("an ")) return {};
  std::vector<std::string_view> words;
  while (!expected.empty()) {
    const auto begin = expected.find_first_not_of(" ,`");
    if (begin == expected.npos) break;
    expected.remove_prefix(begin);
    const auto word = expected.substr(0, expected.find_first_of(" ,`"));
    if (word != "or" && word != found) words.push_back(word);
    expected.remove_prefix(word.size());
  }
  const auto near = closest(found, words);
  return near ? fmt::format("; did you mean {}?", *near) : std::string();
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

bool is_node_word(std::string_view t) {
  constexpr std::array<std::string_view, 5> those{"leader", "follower", "any", "it", "all"};
  return parse_count(t).has_value() || std::ranges::find(those, t) != those.end();
}

void line_parser::fail(std::string why) {
  if (!error_) error_ = std::move(why);
}

void line_parser::miss(std::string_view expected) {
  const auto before = next_ > 0 ? " after `" + all_[next_ - 1] + "`" : std::string();
  if (next_ < all_.size())
    fail(fmt::format("expected {}{}, found `{}`{}", expected, before, all_[next_],
                     meant(expected, all_[next_])));
  else
    fail(fmt::format("expected {}{}, but the line ends there", expected, before));
}

bool line_parser::take(std::string_view word) {
  if (at_end() || all_[next_] != word) return false;
  ++next_;
  return true;
}

void line_parser::expect(std::string_view word) {
  if (!take(word)) miss(fmt::format("`{}`", word));
}

std::string line_parser::word(std::string_view what) {
  if (at_end()) {
    miss(what);
    return {};
  }
  return all_[next_++];
}

duration line_parser::time() {
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

std::uint64_t line_parser::count(std::uint64_t least, std::uint64_t most, std::string_view what) {
  const auto n = parse_count(peek());
  if (!n || *n < least || *n > most) {
    miss(fmt::format("{} from {} to {}", what, least, most));
    return least;
  }
  ++next_;
  return *n;
}

double line_parser::percent() {
  auto text = peek();
  if (!text.empty() && text.ends_with('%')) text.remove_suffix(1);
  double n = -1;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || r.ec != std::errc() || r.ptr != text.data() + text.size() || n < 0 ||
      n > 90) {
    miss("a percentage from 0% to 90%");
    return 0;
  }
  ++next_;
  return n / 100;
}

std::uint64_t line_parser::size() {
  auto text = peek();
  std::uint64_t unit = 1;
  for (const auto& [suffix, bytes] :
       {std::pair<std::string_view, std::uint64_t>{"kB", 1000}, {"MB", 1'000'000}})
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

node_ref line_parser::node(bool or_deleted) {
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
    return node_ref::fixed(*n);
  }
  using enum node_ref::kind;
  for (const auto& [word, is] :
       {std::pair{"leader", leader}, {"follower", follower}, {"any", any}, {"it", it}})
    if (take(word)) return {.is = is};
  if (std::ranges::find(names.node_names, text) != names.node_names.end()) {
    ++next_;
    return {.is = named, .name = std::string(text)};
  }
  miss("a node (a number, leader, follower, any, it, or a name given with `let`)");
  return {};
}

std::vector<node_ref> line_parser::nodes(bool or_deleted) {
  std::vector<node_ref> list;
  if (take("all")) {
    for (std::size_t n = 0; n < names.nodes; ++n)
      if (!names.deleted.contains(n)) list.push_back(node_ref::fixed(n));
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
    line_parser one({text.substr(begin, end - begin)}, names);
    list.push_back(one.node(or_deleted));
    if (one.error()) fail(*one.error());
    begin = end + 1;
  }
  return list;
}

std::string line_parser::database() {
  const std::string name(peek());
  if (std::ranges::find(names.databases, name) == names.databases.end()) {
    if (name.empty())
      miss("a database");
    else
      fail(fmt::format("no line above attaches a database `{}`{}", name,
                       did_you_mean(name, names.databases)));
    return {};
  }
  ++next_;
  return name;
}

std::string line_parser::volatile_database() {
  auto name = database();
  if (names.transactional.contains(name))
    fail(fmt::format("{} is written by transactions: expected a volatile database", name));
  return name;
}

std::string line_parser::transactional_database() {
  auto name = database();
  if (!error_ && !names.transactional.contains(name))
    fail(fmt::format("{} is volatile: expected a persistent or replicated database", name));
  return name;
}

std::string line_parser::client() {
  const std::string name(peek());
  if (!names.knows_client(name)) {
    miss("the name of a client");
    return {};
  }
  ++next_;
  return name;
}

std::vector<std::pair<std::string, std::string>> line_parser::settings() {
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

void line_parser::end() {
  if (!at_end()) miss("nothing more");
}

}  // namespace floe::cli::drill
