#pragma once
/// Text that fits a terminal: lines broken at blanks. Widths are in characters; what is written for programs, into files and
/// pipes, is never broken.
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"

namespace floe::cli {

/// Columns of the terminal; no limit if this output, standard output or standard error, is none.
std::size_t line_limit(int output = STDOUT_FILENO);
/// Bytes of the first character of a text that is not empty, or of the change of colours that it begins with.
std::size_t character_bytes(std::string_view text);

/// Lines of at most `width`. A word that is longer is cut, a path behind one of its folders; blanks at a break are left out,
/// and a number keeps its unit beside it.
std::vector<std::string> lines_of(std::string_view text, std::size_t width);
/// The same as one text, without a newline at its end; every line after the first begins with `indent` blanks.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent = 0);
/// "  left    right", as help has it: what is right begins at `column` and stays there, below if the left is too long.
std::string two_columns(std::string_view left, std::string_view right, std::size_t column,
                        std::size_t width);
/// Where it is wider than `limit` its spare columns are left out, and then its widest columns of text are broken into several
/// lines, never its numbers. If even that is too wide, every row is a block of lines.
std::string table_text(std::vector<column>, const std::vector<std::vector<cell>>& rows,
                       bool colours, std::size_t limit);

/// Text of several lines; what a narrow terminal breaks stands two blanks further in than its line begins. Not for what somebody
/// copies: values, files, commands.
void print_text(std::string_view text);
/// A line, or several of them on a terminal that is narrower; all but the first begin with `indent` blanks.
void print_line(std::string_view text, std::size_t indent = 2, style = style::plain);

}  // namespace floe::cli
