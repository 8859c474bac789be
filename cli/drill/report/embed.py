#!/usr/bin/env python3
"""Prints C++ that holds the texts of pages: embed.py page.html compare.html makes page_html and compare_html of them.

Lines of the form `@include NAME@` are replaced by the file of that name beside it.
"""
import pathlib
import re
import sys

PIECE = 8000  # compilers promise no more than 64 KiB for one literal


def whole(page):
    return re.sub(r"^@include (\S+)@\n", lambda m: (page.parent / m[1]).read_text(encoding="utf-8"),
                  page.read_text(encoding="utf-8"), flags=re.MULTILINE)


print('#include "cli/drill/report/page.hpp"\n\nnamespace floe::cli {')
for name in sys.argv[1:]:
    text = whole(pathlib.Path(name))
    pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)]
    print(f"const std::string_view {pathlib.Path(name).stem}_html =")
    print("\n".join(f'R"floe_page({piece})floe_page"' for piece in pieces) + ";")
print("}  // namespace floe::cli")
