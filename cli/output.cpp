#include "cli/output.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace floe::cli {
namespace {

constexpr std::uint64_t schema_version = 1;

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

void append_padding(std::string& out, std::size_t n) { out.append(n, ' '); }

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

std::size_t terminal_width() {
  winsize w{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
  return 100;
}

std::string paint(style s, std::string_view text, bool colours) {
  if (!colours || s == style::plain || text.empty()) return std::string(text);
  return std::string(code_of(s)).append(text).append("\033[0m");
}

std::size_t text_width(std::string_view utf8) {
  std::size_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

std::string table::text(bool colours) const {
  if (rows_.empty()) return {};
  std::vector<std::size_t> width;
  for (const auto& c : columns_) width.push_back(text_width(c.title));
  for (const auto& r : rows_)
    for (std::size_t i = 0; i < r.size(); ++i) width[i] = std::max(width[i], text_width(r[i].text));
  std::string out;
  const auto line = [&](const std::vector<cell>& cells) {
    std::string s;
    std::size_t owed = 0;  // blanks are only written when something follows
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t blank = width[i] - text_width(cells[i].text);
      if (i > 0) owed += 2;
      if (columns_[i].right) owed += blank;
      if (!cells[i].text.empty()) {
        append_padding(s, owed);
        owed = 0;
        s += paint(cells[i].look, cells[i].text, colours);
      }
      owed += columns_[i].right ? (cells[i].text.empty() ? 0 : 0) : blank;
    }
    out += s + "\n";
  };
  std::vector<cell> titles;
  for (const auto& c : columns_) titles.emplace_back(c.title, style::dim);
  line(titles);
  for (const auto& r : rows_) line(r);
  return out;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

wire::json_writer open_json(std::string_view command) {
  wire::json_writer w;
  w.begin_object();
  w.number("schema", schema_version);
  w.text("command", command);
  return w;
}

void print_json(wire::json_writer&& w) {
  w.end();
  print(w.take() + "\n");
  std::fflush(stdout);
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
