#include "cli/wrap.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

/// Bytes of the first `width` characters.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t at = 0, seen = 0;
  while (at < text.size()) {
    const auto next = character_bytes(text.substr(at));
    seen += text_width(text.substr(at, next));
    if (seen > width) break;
    at += next;
  }
  return at;
}

/// The longest word of a title: narrower it cannot be.
std::size_t longest_word(std::string_view title) {
  std::size_t longest = 0;
  while (!title.empty()) {
    const auto end = std::min(title.find(' '), title.size());
    longest = std::max(longest, text_width(title.substr(0, end)));
    title.remove_prefix(std::min(end + 1, title.size()));
  }
  return longest;
}

/// Whether the blank stands between "12.4" and "s".
bool parts_number_and_unit(std::string_view text, std::size_t blank) {
  constexpr std::array units{"ms", "s", "min", "h", "days", "B", "KB", "MB", "GB"};
  if (text[blank - 1] < '0' || text[blank - 1] > '9') return false;
  const auto word = text.substr(blank + 1, text.find_first_of(" ,;.)", blank + 1) - blank - 1);
  return std::ranges::find(units, word) != units.end();
}

std::size_t width_of_all(const std::vector<std::size_t>& width) {
  return std::accumulate(width.begin(), width.end(), 2 * (width.size() - 1));
}

/// How narrow columns of text may become, one step after the other: words stay whole as long as that goes.
enum class narrowness : std::uint8_t { whole_words, cut, cut_short };

std::size_t least_width(const column& c, const std::vector<std::vector<cell>>& rows, std::size_t at,
                        narrowness how) {
  constexpr std::size_t least = 12, very_least = 7;
  std::size_t words = longest_word(c.title);
  if (how == narrowness::cut_short) return std::max(very_least, words);
  if (how == narrowness::whole_words)
    for (const auto& r : rows)
      if (at < r.size()) words = std::max(words, longest_word(r[at].text));
  return std::max(least, words);
}

/// Of text; numbers, which stand at the right, keep theirs, but their titles may take several lines.
std::vector<std::size_t> widths(const std::vector<column>& columns,
                                const std::vector<std::vector<cell>>& rows, std::size_t limit) {
  std::vector<std::size_t> content(columns.size()), width;
  for (const auto& r : rows)
    for (std::size_t i = 0; i < r.size(); ++i)
      content[i] = std::max(content[i], text_width(r[i].text));
  for (std::size_t i = 0; i < columns.size(); ++i)
    width.push_back(std::max(content[i], text_width(columns[i].title)));
  if (width_of_all(width) > limit)
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].right) width[i] = std::max(content[i], longest_word(columns[i].title));
  for (const auto how : {narrowness::whole_words, narrowness::cut, narrowness::cut_short}) {
    std::vector<std::size_t> least(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i)
      least[i] = columns[i].right ? width[i] : least_width(columns[i], rows, i, how);
    for (auto sum = width_of_all(width); sum > limit; --sum) {
      std::size_t widest = width.size();
      for (std::size_t i = 0; i < width.size(); ++i)
        if (width[i] > least[i] && (widest == width.size() || width[i] > width[widest])) widest = i;
      if (widest == width.size()) break;
      --width[widest];
    }
  }
  return width;
}

/// Without its spare columns, from the right, until what is left fits.
void leave_out_spare(std::vector<column>& columns, std::vector<std::vector<cell>>& rows,
                     std::size_t limit) {
  constexpr std::size_t short_sentence = 24;
  const auto width = [&] {
    std::size_t sum = 2 * (columns.size() - 1);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      // the titles of numbers may take several lines, and so may sentences
      std::size_t widest =
          columns[i].right ? longest_word(columns[i].title) : text_width(columns[i].title);
      for (const auto& r : rows)
        if (i < r.size())
          widest =
              std::max(widest, columns[i].right
                                   ? text_width(r[i].text)
                                   : std::min(text_width(r[i].text),
                                              std::max(short_sentence, longest_word(r[i].text))));
      sum += widest;
    }
    return sum;
  };
  for (std::size_t i = columns.size(); i-- > 0 && width() > limit;) {
    if (!columns[i].spare) continue;
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& r : rows)
      if (i < r.size()) r.erase(r.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::string row_text(const std::vector<column>& columns, const std::vector<cell>& cells,
                     const std::vector<std::size_t>& width, bool colours) {
  std::vector<std::vector<std::string>> parts;
  std::size_t lines = 1;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    parts.push_back(lines_of(cells[i].text, width[i]));
    lines = std::max(lines, parts.back().size());
  }
  std::string out;
  for (std::size_t n = 0; n < lines; ++n) {
    std::size_t owed = 0;  // blanks are only written when something follows
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto part = n < parts[i].size() ? parts[i][n] : std::string();
      const std::size_t blank = width[i] - std::min(width[i], text_width(part));
      if (i > 0) owed += 2;
      if (columns[i].right) owed += blank;
      if (!part.empty()) {
        out.append(std::exchange(owed, 0), ' ');
        out += paint(cells[i].look, part, colours);
      }
      if (!columns[i].right) owed += blank;
    }
    out += "\n";
  }
  return out;
}

/// Each row as a block of lines, with the title before each cell: for a table that has more numbers than the line has room.
std::string as_blocks(const std::vector<column>& columns,
                      const std::vector<std::vector<cell>>& rows, bool colours, std::size_t limit) {
  std::size_t titles = 0;
  for (const auto& c : columns) titles = std::max(titles, text_width(c.title));
  titles = std::min(titles, limit / 2);
  std::string out;
  for (const auto& r : rows) {
    if (!out.empty()) out += "\n";
    for (std::size_t i = 0; i < r.size(); ++i) {
      const std::vector<column> two{{""}, {""}};
      out += row_text(two, {{columns[i].title, style::dim}, r[i]},
                      {titles, limit > titles + 2 ? limit - titles - 2 : 1}, colours);
    }
  }
  return out;
}

}  // namespace

std::size_t line_limit(int output) {
  return ::isatty(output) == 1 ? terminal_width(output) : std::string::npos;
}

std::size_t character_bytes(std::string_view text) {
  if (text.front() == '\033') return std::min(text.find('m'), text.size() - 1) + 1;
  std::size_t n = 1;
  while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
  return n;
}

std::vector<std::string> lines_of(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  std::vector<std::string> lines;
  while (text_width(text) > width) {
    const auto fits = bytes_of(text, width);
    const auto last = text.rfind(' ', fits);
    auto end = last;
    while (end != text.npos && end > 0 && parts_number_and_unit(text, end))
      end = text.rfind(' ', end - 1);
    if (end == text.npos) end = last;
    if (end == text.npos || text.find_first_not_of(' ') > end) {
      const auto folder = text.substr(0, fits).rfind('/');
      end = folder == text.npos || folder == 0 ? fits : folder + 1;
    }
    lines.emplace_back(text.substr(0, text.find_last_not_of(' ', end - 1) + 1));
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  }
  lines.emplace_back(text);
  return lines;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  const auto first = lines_of(text, width);
  std::string out = first.front();
  // what follows the first line has less room
  const auto rest = text.substr(std::min(text.size(), first.front().size()));
  const auto begin = rest.find_first_not_of(' ');
  if (begin == rest.npos) return out;
  const auto narrower = width > indent ? width - indent : 1;
  for (const auto& line : lines_of(rest.substr(begin), narrower))
    out += "\n" + std::string(indent, ' ') + line;
  return out;
}

std::string two_columns(std::string_view left, std::string_view right, std::size_t column,
                        std::size_t width) {
  std::string out = "  " + std::string(left);
  if (right.empty()) return out + "\n";
  const auto used = text_width(out);
  out += used + 1 < column ? std::string(column - used, ' ') : "\n" + std::string(column, ' ');
  const auto room = width > column ? width - column : 1;
  const auto lines = lines_of(right, room);
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (i == 0 ? "" : std::string(column, ' ')) + lines[i] + "\n";
  return out;
}

std::string table_text(std::vector<column> columns, const std::vector<std::vector<cell>>& rows,
                       bool colours, std::size_t limit) {
  if (rows.empty()) return {};
  // what stands in a cell was often named by a stranger
  auto shown = rows;
  for (auto& r : shown)
    for (auto& c : r) c.text = wire::visible(c.text);
  leave_out_spare(columns, shown, limit);
  const auto width = widths(columns, shown, limit);
  if (width_of_all(width) > limit) return as_blocks(columns, shown, colours, limit);
  std::vector<cell> titles;
  for (const auto& c : columns) titles.emplace_back(c.title, style::dim);
  std::string out = row_text(columns, titles, width, colours);
  for (const auto& r : shown) out += row_text(columns, r, width, colours);
  return out;
}

void print_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    const auto begin = std::min(line.find_first_not_of(' '), line.size());
    out += wrapped(line, line_limit(), begin + 2);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  print(out);
}

void print_line(std::string_view text, std::size_t indent, style look) {
  auto line = wire::visible_lines(text, colours_wanted());
  for (std::size_t at = 0; (at = line.find('\n', at)) != line.npos;) line.replace(at, 1, "\\x0a");
  print(paint(look, wrapped(line, line_limit(), indent)) + "\n");
}

}  // namespace floe::cli
