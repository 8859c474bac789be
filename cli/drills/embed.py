"""Makes C++ of the shipped drills: embed.py OUTPUT DRILL..."""
import pathlib
import sys

out, *files = sys.argv[1:]
rows = []
for file in sorted(map(pathlib.Path, files), key=lambda f: f.stem):
    # a raw literal may not be longer than the standard's limit; drills are far shorter
    rows.append(f'    {{"{file.stem}", R"drill({file.read_text()})drill"}},\n')
pathlib.Path(out).write_text(
    '#include "cli/drill/language/shipped_drills.hpp"\n\n#include <array>\n\nnamespace floe::cli::drill {\n\n'
    "std::span<const shipped_drill> shipped_drills() {\n"
    f"  static constexpr std::array<shipped_drill, {len(rows)}> all{{{{\n" + "".join(rows) + "  }};\n  return all;\n}\n\n"
    "}  // namespace floe::cli::drill\n")
