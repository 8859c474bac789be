#!/usr/bin/env python3
"""Prints C++ that holds the text of the page: embed.py page.html

Lines of the form `@include NAME@` are replaced by the file of that name beside it.
"""
import pathlib
import re
import sys

page = pathlib.Path(sys.argv[1])
text = re.sub(r"^@include (\S+)@\n", lambda m: (page.parent / m[1]).read_text(encoding="utf-8"),
              page.read_text(encoding="utf-8"), flags=re.MULTILINE)
PIECE = 8000  # compilers promise no more than 64 KiB for one literal
pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)]
print('#include "cli/report/page.hpp"\n\nnamespace floe::cli {\nconst std::string_view page_html =')
print("\n".join(f'R"floe_page({piece})floe_page"' for piece in pieces) + ";\n}  // namespace floe::cli")
