#include "cli/drill/report/trace_line.hpp"

#include <algorithm>
#include <charconv>

namespace floe::cli::drill {
namespace {

/// Takes a number from the left.
template <class T>
std::optional<T> take_number(std::string_view& text) {
  T n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(r.ptr - text.data()));
  return n;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

}  // namespace

std::optional<trace_line> read_trace_line(std::string_view line) {
  constexpr std::int64_t second = 1'000'000;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto seconds = take_number<std::int64_t>(line);
  if (!seconds || !take(line, ".")) return std::nullopt;
  const auto before = line.size();
  const auto part = take_number<std::int64_t>(line);
  if (!part || before - line.size() != 6 || !take(line, " ")) return std::nullopt;
  const auto colon = line.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  return trace_line{*seconds * second + *part, line.substr(0, colon), line.substr(colon + 2)};
}

std::optional<std::uint32_t> trace_line::node() const {
  auto rest = who;
  if (!take(rest, "node ")) return std::nullopt;
  return take_number<std::uint32_t>(rest);
}

std::optional<timed_event> trace_line::event() const {
  const auto n = node();
  if (!n) return std::nullopt;
  auto line = parse_event(text);
  if (!line || !info(line->id).on_timeline) return std::nullopt;
  return timed_event{t_us, pnn{*n}, std::move(*line)};
}

std::optional<played_statement> read_played(const trace_line& l) {
  auto rest = l.text;
  if (l.who != "drill") return std::nullopt;
  const auto line = take_number<unsigned>(rest);
  if (!line || !take(rest, ": ")) return std::nullopt;
  (void)take(rest, "try ");
  return played_statement{*line, rest};
}

std::optional<done_to_node> read_done(const trace_line& l) {
  auto rest = l.text;
  if (l.who != "drill" || !take(rest, "node ")) return std::nullopt;
  const auto node = take_number<std::uint32_t>(rest);
  if (!node || !take(rest, " ")) return std::nullopt;
  const bool suffered = take(rest, "is ");
  return done_to_node{*node, rest, suffered};
}

}  // namespace floe::cli::drill
