#include "cli/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "cli/wrap.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

constexpr std::uint64_t schema_version = 1;

int first_error = 0;  // later ones tell nothing: what is left in the buffer is thrown away

const char* code_of(style s) {
  switch (s) {
    case style::plain: return "";
    case style::bold: return "\033[1m";
    case style::dim: return "\033[2m";
    case style::good: return "\033[32m";
    case style::warn: return "\033[33m";
    case style::bad: return "\033[1;31m";
    case style::accent: return "\033[36m";
  }
  return "";
}

std::tm local_time(std::int64_t wall_us) {
  const std::time_t seconds = wall_us / 1'000'000;
  std::tm t{};
  ::localtime_r(&seconds, &t);
  return t;
}

}  // namespace

bool colours_wanted() {
  static const bool wanted = [] {
    const char* no = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    if ((no && *no) || (term && std::string_view(term) == "dumb")) return false;
    return ::isatty(STDOUT_FILENO) == 1;
  }();
  return wanted;
}

std::size_t terminal_width(int output) {
  winsize w{};
  if (::ioctl(output, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
  return 100;
}

std::string paint(style s, std::string_view text, bool colours) {
  if (!colours || s == style::plain || text.empty()) return std::string(text);
  return std::string(code_of(s)).append(text).append("\033[0m");
}

std::size_t text_width(std::string_view utf8) {
  std::size_t n = 0;
  for (std::size_t at = 0; at < utf8.size(); at += character_bytes(utf8.substr(at)))
    n += utf8[at] != '\033';
  return n;
}

std::string table::text(bool colours) const {
  return table_text(columns_, rows_, colours, line_limit());
}

/// Whatever was put into the text, nothing but the colours of this program reaches a terminal as more than text.
void print(std::string_view text) {
  const bool plain = std::ranges::all_of(
      text, [](char c) { return (c >= ' ' && c < '\x7f') || c == '\n' || c == '\t'; });
  const auto shown = plain ? std::string() : wire::visible_lines(text, colours_wanted());
  const std::string_view out = plain ? text : std::string_view(shown);
  if (std::fwrite(out.data(), 1, out.size(), stdout) < out.size() && first_error == 0)
    first_error = errno;
}

bool flush_output() {
  if (std::fflush(stdout) != 0 && first_error == 0) first_error = errno;
  return first_error == 0;
}

int output_error() { return first_error; }

wire::json_writer open_json(std::string_view command) {
  wire::json_writer w;
  w.begin_object();
  w.number("schema", schema_version);
  w.text("command", command);
  return w;
}

void print_json(wire::json_writer&& w) {
  w.end();
  auto line = w.take();
  // what nodes report has it as it is; of all that print() shows in another way only this is written otherwise in JSON
  for (std::size_t at = 0; (at = line.find('\x7f', at)) != line.npos;)
    line.replace(at, 1, "\\u007f");
  print(line + "\n");
  flush_output();
}

std::string age_text(double ms) {
  if (ms < 10) return fmt::format("{:.1f} ms", ms);
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  const double s = ms / 1000;
  if (s < 100) return fmt::format("{:.1f} s", s);
  if (s < 2 * 3600) return fmt::format("{:.0f} min", s / 60);
  if (s < 2 * 86400) return fmt::format("{:.1f} h", s / 3600);
  return fmt::format("{:.0f} days", s / 86400);
}

std::string count_text(std::uint64_t n, std::string_view one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string clock_text(std::int64_t wall_us) {
  const auto t = local_time(wall_us);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", t.tm_hour, t.tm_min, t.tm_sec,
                     wall_us / 1000 % 1000);
}

std::string time_text(std::int64_t wall_us) {
  const auto t = local_time(wall_us);
  return fmt::format("{}-{:02}-{:02} {}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     clock_text(wall_us));
}

}  // namespace floe::cli
