#pragma once
/// What commands print: aligned tables and colours for people (colours on a terminal only), JSON
/// for programs.
///
/// Every JSON answer is one object on one line with "schema" (this version of the names) and
/// "command". Names are only ever added within a schema.
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire/json.hpp"

namespace floe::cli {

enum class style : std::uint8_t { plain, bold, dim, good, warn, bad, accent };

/// Standard output is a terminal that wants colours (NO_COLOR is not set, TERM is not dumb).
bool colours_wanted();
/// Columns of the terminal, 100 if this output is none.
std::size_t terminal_width(int output = STDOUT_FILENO);
std::string paint(style, std::string_view text, bool colours = colours_wanted());
/// Characters, not bytes.
std::size_t text_width(std::string_view utf8);

struct cell {
  cell(std::string t, style s = style::plain)
      : text(std::move(t)), look(s) {}                               // NOLINT: rows read better
  cell(const char* t, style s = style::plain) : text(t), look(s) {}  // NOLINT
  std::string text;
  style look;
};

struct column {
  const char* title;
  bool right = false;
  bool spare = false;  ///< left out where the table would be too wide
};

class table {
 public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Two spaces between columns, nothing after the last; no titles above an empty table.
  std::string text(bool colours = colours_wanted()) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

void print(std::string_view text);
/// What was printed is on its way; false: standard output takes no more, output_error() says why.
bool flush_output();
/// The errno of the first write to standard output that failed; 0: none has.
int output_error();
/// An object with "schema" and "command" in it, still open.
wire::json_writer open_json(std::string_view command);
/// Closes it and prints the line.
void print_json(wire::json_writer&&);

/// "3.2 s", "12 min", "850 ms": for ages and waits.
std::string age_text(double milliseconds);
/// "1 record", "3 records"
std::string count_text(std::uint64_t n, std::string_view one);
/// "2026-01-31 12:00:00.123", local time.
std::string time_text(std::int64_t wall_us);
/// "12:00:00.123"
std::string clock_text(std::int64_t wall_us);

}  // namespace floe::cli
