#!/usr/bin/env python3
"""Prints C++ that holds the text of the page: embed.py page.html"""
import pathlib
import sys

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
PIECE = 8000  # compilers promise no more than 64 KiB for one literal
pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)]
print('#include "cli/report/page.hpp"\n\nnamespace floe::cli {\nconst std::string_view page_html =')
print("\n".join(f'R"floe_page({piece})floe_page"' for piece in pieces) + ";\n}  // namespace floe::cli")
