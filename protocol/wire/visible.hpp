#pragma once
/// Text from elsewhere (names of databases and processes, reasons, what a peer says) made fit for a terminal, a line of a
/// log and a page. Clients and peers choose such names, and may put anything into them: a name must not move the cursor,
/// colour what follows, begin a line of its own or run backwards.
///
/// What such text may not do is shown instead: "\x1b" for an octet that is a control character, or no part of UTF-8;
/// "\u202e" for a longer character that controls something. Everything else stays as it is, a backslash, too: what is
/// shown is for reading, and a database can be named by its id.
#include <cstddef>

#include "protocol/bytes.hpp"

namespace floe::wire {

/// Length of the UTF-8 sequence that the text, which is not empty, begins with; 0 if it begins with none.
std::size_t utf8_length(byte_view);
/// Whether the character that the text begins with acts on a terminal instead of being seen: C0 and C1 controls, delete,
/// ends of lines and paragraphs, changes of direction. `length`: what utf8_length has said, not 0.
bool acts(byte_view, std::size_t length);

/// As one line.
bytes visible(byte_view);
/// The same; newlines and tabs stay, and changes of colour ("\033[1;31m") if `colours`.
bytes visible_lines(byte_view, bool colours);

}  // namespace floe::wire
