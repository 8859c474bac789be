#!/usr/bin/env python3
"""The fences of the tree: what may not stand where, and what a text says of files that are not there.

    tests/fences/fences.py         who includes whom, which library appears where, sources that are not compiled, headers that
                                   nobody includes, rows of tables that nobody uses, drills that are not shipped, mutants that no
                                   table tells of, links of READMEs, named files, headers that no README names, rules and their
                                   model, tunables that nobody looks at, and whether clang-format would change a file (Debian
                                   12's, since others write otherwise)
    tests/fences/fences.py --fix   formats them

Exit 0: everything is as the rules say. A rule is a row of a table below; a new library or folder is a new row.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# Which folders a folder may include from. The longest prefix that fits counts.
FLOORS = {
    "protocol": ["protocol"],
    "storage": ["protocol", "storage"],
    "actors": ["protocol", "storage", "actors"],
    "actors/table": ["protocol", "actors/table"],
    "actors/client": ["protocol", "actors/client", "actors/net", "actors/runtime", "actors/table"],
    "actors/async": ["protocol", "actors/async", "actors/client", "actors/net", "actors/runtime"],
    "actors/clib": ["protocol", "actors/clib", "actors/table"],
    "actors/tdb_bridge": ["protocol", "actors/clib/include", "actors/tdb_bridge"],
    "cli": ["protocol", "storage", "actors", "cli"],
    "tests": ["protocol", "storage", "actors", "cli", "tests"],
}

# Which files a library may appear in, as prefixes of their paths: a library somewhere else is a decision in the wrong room.
LIBRARIES = {
    "caf/": ["actors/runtime/caf_runtime.cpp"],
    "lmdb.h": ["storage/"],
    "xxhash": ["storage/"],
    "spdlog/": ["actors/log"],
    "CLI/": ["cli/main.cpp", "cli/help_format.hpp"],
    "nlohmann/": ["actors/", "cli/", "tests/"],
    "prometheus/": ["cli/metrics/"],
    "microhttpd.h": ["cli/metrics/"],
    "fmt/": ["actors/", "cli/", "tests/"],
    "doctest/": ["tests/"],
    "benchmark/": ["tests/"],
    "tdb.h": ["tests/bench/", "tests/bridge/"],
}
# protocol/ asks nobody: neither the system nor a clock.
STANDARD_ONLY = "protocol/"
STANDARD = set("""algorithm array bit bitset cassert cctype charconv chrono cmath compare concepts cstddef cstdint cstdlib cstring
deque exception expected functional initializer_list iterator limits list map memory numbers numeric optional ostream queue random
ranges set span stdexcept string string_view tuple type_traits typeinfo unordered_map unordered_set utility variant vector
version""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def files_of_the_tree(*suffixes):
    """Files of the tree, also those that git has not been told of yet: who adds one asks before he commits it."""
    names = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           capture_output=True, text=True, check=True)
    for name in sorted(set(filter(None, names.stdout.split("\0")))):
        if name.endswith(suffixes) and (TOP / name).exists():
            yield name


def floor_of(name):
    return name.split("/", 1)[0]


def within(name, folders):
    return [folder for folder in folders if name.startswith(folder + "/")]


def includes(name, text):
    floor = max(within(name, FLOORS), key=len, default=None)
    allowed = FLOORS.get(floor)
    for quoted, angled in INCLUDE.findall(text):
        # generated headers and files beside the includer have no folder, or are no files of the tree
        if quoted and allowed and (TOP / quoted).exists() and not within(quoted, allowed):
            yield f"{name} includes {quoted}: {floor}/ may include from {', '.join(allowed)} only"
        if quoted and floor_of(name) != "tests" and quoted.startswith("tests/"):
            yield f"{name} includes {quoted}: the program does not know its tests"
        if name.startswith("cli/drill/") and quoted.startswith("cli/command/"):
            yield f"{name} includes {quoted}: drills do not know the command line"
        for library, places in LIBRARIES.items():
            if (angled or quoted).startswith(library) and not any(name.startswith(p) for p in places):
                yield f"{name} includes <{angled or quoted}>, which belongs to {', '.join(places)}"
        if angled and name.startswith(STANDARD_ONLY) and angled not in STANDARD:
            yield f"{name} includes <{angled}>: protocol/ uses the standard library only"


def readme_links(name, text):
    text = re.sub(r"^(```|    ).*$", "", text, flags=re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (TOP / name).parent / path if path else TOP / name
        if not file.exists():
            yield f"{name} links to {target}, which is not there"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{name} links to {target}: there is no such heading"


# Folders whose README is a map: it names each header that lies in them.
MAPS = ["protocol", "protocol/rules", "storage", "actors", "actors/clib", "actors/table", "actors/tdb_bridge"]


def not_on_the_map(folder, readme, files):
    """A header that its README does not name is found by nobody who reads the READMEs."""
    for name in files:
        path, _, header = name.rpartition("/")
        if path == folder and header.endswith(".hpp") and not re.search(rf"(?<![\w-]){re.escape(header.removesuffix('.hpp'))}(?![\w-])", readme):
            yield f"{folder}/README.md does not say what {header} is for"


def anchors(text):
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


# Sources whose names a loop of their meson.build puts together.
BUILT_BY_A_LOOP = ("actors/async/examples/", "actors/clib/examples/", "tests/bench/bench_", "tests/fuzz/fuzz_")


def left_out(names, builds, texts):
    """A source that no meson.build names is not compiled, and what is missed of it is told by the linker alone; a header that
    nobody includes is dead. `builds`: the text of each meson.build."""
    named = {os.path.normpath(os.path.join(os.path.dirname(build), source))
             for build, text in builds.items() for source in re.findall(r"'([\w./-]+\.(?:cpp|c))'", text)}
    included = {quoted or angled for text in texts for quoted, angled in INCLUDE.findall(text)}
    for name in names:
        if name.endswith((".cpp", ".c")) and name not in named and not name.startswith(BUILT_BY_A_LOOP):
            build = max((b for b in builds if name.startswith(os.path.dirname(b) + "/")), key=len, default="meson.build")
            yield f"{name} is not compiled: name it in {build}"
        if name.endswith((".hpp", ".h", ".def")) and not any(("/" + name).endswith("/" + path) for path in included):
            yield f"{name}: nobody includes it"


SOURCE = r"[\w./-]*[\w-]\.(?:cpp|hpp|def|drill)"


def named_files(name, text, files):
    """Files of the tree that a comment at the head of a source, or a README in backquotes, names: by their whole path, the end
    of it, or their name alone."""
    if name.endswith(".md"):
        named = re.findall(rf"`((?:actors|cli|protocol|storage|tests)/[\w./-]+\.(?:md|py|txt)|{SOURCE})`", text)
    else:
        head = "\n".join(line for line in text.split("\n")[:40] if line.lstrip().startswith("//"))
        named = re.findall(rf"(?<![\w/.*])((?:actors|cli|protocol|storage|tests)/[\w./-]+\.(?:md|py)|{SOURCE})(?![\w*])", head)
    for file in named:
        if "NAME" in file:  # in its place stands whatever the reader writes
            continue
        if not any(known == file or known.endswith("/" + file) for known in files):
            yield f"{name} names {file}, which is not there"


# A rule of the model, as tests/model/rules.pml describes it: its switch, and the file that says of itself that it holds it.
MODEL_RULE = re.compile(r"/\* (R\d+) .*?\*\s+((?:protocol|actors|storage)/[\w./]+)\s*\*/\nhidden byte (R\d+);", re.S)
NAMES_RULE = re.compile(r"\b[Rr]ules? (R\d+)")


def model_rules(rules, runs, texts):
    """The model (tests/model) and the files of its rules name each other; and each rule, left out, breaks a promise."""
    known = {}
    for described, file, switch in MODEL_RULE.findall(rules):
        known[described] = file
        if described != switch:
            yield f"tests/model/rules.pml describes {described} and switches {switch}"
        if described not in NAMES_RULE.findall(texts.get(file, "")):
            yield f"tests/model/rules.pml finds {described} in {file}, which does not say so"
    for switch in re.findall(r"^hidden byte (R\d+);", rules, re.M):
        if switch not in known:
            yield f"tests/model/rules.pml does not say in which file {switch} is"
        outcomes = re.findall(rf"^\w+ *\|[^|]*\| *([^|]*?) *\|.*\b{switch}=0\b", runs, re.M)
        twice_held = re.search(rf"/\* {switch} [^/]*Held by R\d+ as\s", rules)
        if not outcomes or ("holds" in outcomes and not twice_held):
            yield f"tests/model/runs.txt does not show what goes wrong without {switch}"
    for name, text in texts.items():
        for rule in NAMES_RULE.findall(text):
            if rule not in known:
                yield f"{name} names rule {rule}, which the model does not have"


def idle_tunables(tunables, without_effect, sources):
    """A tunable that can be set is looked at by somebody, or is said to do nothing, with the reason: not both, not neither."""
    live = re.findall(r"^FLOE_(?:OWN_)?TUNABLE\(\s*(?:\d+,\s*)?(\w+),", tunables, re.M)
    said = set(re.findall(r'^FLOE_NO_EFFECT\((\w+), \w+, "[^"]+"\)', without_effect, re.M))
    looked_at = set(re.findall(r"\btunable::(\w+)", "\n".join(sources)))
    for name in live:
        if name not in said and name not in looked_at:
            yield f"protocol/tunables.def: nobody looks at {name}, and protocol/tunable_effects.def does not say why"
        if name in said and name in looked_at:
            yield f"protocol/tunable_effects.def: {name} is said to do nothing, and is looked at"
    for name in said - set(live):
        yield f"protocol/tunable_effects.def: {name} is no tunable that can be listed"


# Tables whose rows are nothing without somebody who uses them: how a row and its use look, where the use is, and what to do.
USED_ROWS = [
    ("protocol/controls.def", r"^FLOE_CONTROL\(\s*\w+,\s*(\w+)", r"<c::(\w+)>", "actors/node/controls.cpp",
     "no node carries it out: join it to its function there"),
    ("protocol/controls.def", r"^FLOE_CONTROL\(\s*\w+,\s*(\w+)(?=(?:(?!\nFLOE_)[\s\S])*?\bof_db\b)", r"\bcase control::(\w+): (?!return true)",
     "actors/database/database.cpp", "its owner, the database, refuses it: give it a case in the switch there"),
    ("protocol/mutants.def", r"^MUTANT\((\w+)", r"\bmutant::(\w+)", "", "no decision asks for it: mutated(mutant::NAME)"),
    ("actors/events.def", r"^FLOE_EVENT\((\w+)", r"\bevent::(\w+)", "", "nobody tells it"),
]
USED_OTHERWISE = {"fatal_signal"}  # a handler of signals writes it without its type


def unused_rows(texts):
    """`texts`: the program's files, by name."""
    for table, row, use, place, why in USED_ROWS:
        used = {name for file, text in texts.items() if file != table and file.startswith(place) for name in re.findall(use, text)}
        for name in re.findall(row, texts[table], re.M):
            if name not in used and name not in USED_OTHERWISE:
                yield f"{table}: {name} has a row" + (f" and no line in {place}" if place else "") + f": {why}"


ASKS = re.compile(r"(?<!outcome_of<)(?<!request_of<)(?<!answer_to<)(?<!reply_of<)(?<!request<)(?<!case )control::(\w+)")


def unasked_controls(controls, texts):
    """A control of floe's own that nobody sends, neither a node, nor the program, nor a test, is one that nobody has seen work.
    `texts`: all sources, tests among them."""
    asked = {name for text in texts.values() for name in ASKS.findall(text)}
    for name in re.findall(r"^FLOE_CONTROL\(\s*0x464C\w+,\s*(\w+)", controls, re.M):
        if name not in asked:
            yield f"protocol/controls.def: nobody asks for {name}, not even a test: control::{name} stands where it is carried out only"


def throwing_prints(name, text):
    """fmt::print ends the program when what it writes to is full or closed."""
    if name.startswith(("actors/", "cli/", "protocol/", "storage/")) and re.search(r"\bfmt::print(ln)?\(", text):
        yield f"{name} uses fmt::print, which throws where nothing can be written: print() or say() of cli/"


def of_no_database(events, texts):
    """A line that is about a database names it: whoever reads it cannot ask which one. (What is noted at a node gets its name with
    the note.)"""
    about_one = set(re.findall(r'^FLOE_EVENT\((\w+), "[^"]+", \w+, \w+,\s*FLOE_DB\(\)', events, re.M))
    for file, text in texts.items():
        for name, fields in re.findall(r"\blog_?\.tell\(\s*event::(\w+)\s*\{([^;]*);", text):
            if name in about_one and not re.search(r"\.db\b", fields):
                yield f"{file} tells {name} and does not say of which database: give it .db"


# Events of the timeline that are told to the log alone, and why.
ONLY_LOGGED = {
    ("actors/link/link_greeting.cpp", "node_refused"),  # again and again, of a peer that was put on the timeline before
    ("actors/database/recovery_steps.cpp", "database_damaged"),  # made anew at once: nothing stays damaged
}


def only_logged(events, texts):
    """What belongs on the timeline is noted, not told: whoever asks the node would not hear of it. (The other way round it does
    not compile.)"""
    kept = set(re.findall(r'^FLOE_EVENT\((\w+), "[^"]+", \w+, timeline,', events, re.M))
    for file, text in texts.items():
        for name in re.findall(r"\blog_?\.tell\(\s*event::(\w+)", text):
            if name in kept and (file, name) not in ONLY_LOGGED:
                yield f"{file} tells {name} to the log, whose row in actors/events.def puts it on the timeline: note() it"


# Drills that are none of the shipped files: single steps in memory, played by tests/table.
OTHER_DRILLS = {"table-steps"}
MUTANT_ROW = re.compile(r'^MUTANT\((\w+), "([^"]*)", "([^"]*)", "([^"]*)", \d+\)$', re.M)
FOUND_ROW = re.compile(r"^\| ([^|]*) \| ([^|]*) \| `([\w-]+)` \| \d+ \| [^|]+ \|$", re.M)


def untold_mutants(mutants, readme, drills):
    """Each mutant has a drill that is shipped, and a row that says how soon that finds it; and there is no row of another."""
    told = set(FOUND_ROW.findall(readme))
    for name, bug, wrong, drill in MUTANT_ROW.findall(mutants):
        if drill in OTHER_DRILLS:
            continue
        if drill not in drills:
            yield f"protocol/mutants.def: {name} is found by {drill}, which cli/drills/meson.build does not ship"
        if (bug, wrong, drill) not in told:
            yield f"tests/drill/README.md has no row of {name}: tests/drill/mutants.py {name} prints it"
        told.discard((bug, wrong, drill))
    for bug, wrong, drill in sorted(told):
        yield f"tests/drill/README.md tells of a mutant that is not in protocol/mutants.def: {wrong}"


def unshipped_drills(files, build, readme):
    """A drill that the program does not come with is played by nobody; one that no table names is found by nobody."""
    table = readme.partition("## The shipped drills")[2].partition("\n## ")[0]
    drills = {name.rsplit("/", 1)[-1].removesuffix(".drill"): name
              for name in files if name.startswith("cli/drills/") and name.endswith(".drill")}
    for drill, name in drills.items():
        if f"'{drill}.drill'" not in build:
            yield f"{name} is not shipped: name it in cli/drills/meson.build"
        if f"`{drill}`" not in table:
            yield f"{name} is in no row of `The shipped drills` in cli/drills/README.md"
    for named in re.findall(r"`([\w-]+)`", table):
        if named not in drills:
            yield f"cli/drills/README.md has {named} among the shipped drills, which is not there"


def formatter_is_ours():
    try:
        return " 14." in subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError:
        return False


def badly_formatted(names):
    def look(some):
        told = subprocess.run(["clang-format", "--dry-run", "-Werror", *some], cwd=TOP, capture_output=True, text=True)
        return {line.split(":", 1)[0] for line in told.stderr.split("\n") if "[-Wclang-format-violations]" in line}

    names = list(names)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from sorted(set().union(*pool.map(look, (names[at:at + 40] for at in range(0, len(names), 40)))))


def main():
    wrong, looked_at, texts = [], 0, {}
    files = list(files_of_the_tree(""))
    for name in files_of_the_tree(".cpp", ".hpp", ".h", ".c", ".md"):
        text = (TOP / name).read_text(errors="replace")
        looked_at += 1
        if name.startswith(("protocol/", "actors/", "storage/")) and not name.endswith(".md"):
            texts[name] = text
        if name.endswith(".md"):
            wrong += readme_links(name, text)
        else:
            wrong += includes(name, text)
            wrong += throwing_prints(name, text)
        wrong += named_files(name, text, files)
    sources = list(files_of_the_tree(".cpp", ".hpp", ".h", ".c", ".def"))
    wrong += left_out(sources, {name: (TOP / name).read_text() for name in files if name.endswith("meson.build")},
                      [(TOP / name).read_text(errors="replace") for name in sources])
    wrong += unused_rows({name: (TOP / name).read_text(errors="replace") for name in sources if not name.startswith("tests/")})
    wrong += model_rules((TOP / "tests/model/rules.pml").read_text(), (TOP / "tests/model/runs.txt").read_text(), texts)
    wrong += unasked_controls((TOP / "protocol/controls.def").read_text(),
                              {name: (TOP / name).read_text(errors="replace") for name in sources if name.endswith(("pp", ".c"))})
    wrong += only_logged((TOP / "actors/events.def").read_text(), texts)
    wrong += of_no_database((TOP / "actors/events.def").read_text(), texts)
    wrong += idle_tunables((TOP / "protocol/tunables.def").read_text(), (TOP / "protocol/tunable_effects.def").read_text(),
                           [text for name, text in texts.items() if name.startswith("actors/")])
    drills = (TOP / "cli/drills/meson.build").read_text()
    for folder in MAPS:
        wrong += not_on_the_map(folder, (TOP / folder / "README.md").read_text(), files)
    wrong += unshipped_drills(files, drills, (TOP / "cli/drills/README.md").read_text())
    wrong += untold_mutants((TOP / "protocol/mutants.def").read_text(), (TOP / "tests/drill/README.md").read_text(),
                            set(re.findall(r"'([\w-]+)\.drill'", drills)))
    if formatter_is_ours():
        ugly = list(badly_formatted(files_of_the_tree(".cpp", ".hpp", ".h", ".c")))
        if "--fix" in sys.argv[1:]:
            if ugly:
                subprocess.run(["clang-format", "-i", *ugly], cwd=TOP, check=True)
            print("\n".join([*ugly, f"{len(ugly)} files formatted"]))
        else:
            wrong += [f"{name} is not as clang-format writes it; tests/fences/fences.py --fix" for name in ugly]
    else:
        print("clang-format 14 is not here: nobody has looked how files are formatted")
    for line in wrong:
        print(line)
    print(f"{looked_at} files, {len(wrong)} of their lines against a rule")
    return 1 if wrong or not looked_at else 0


if __name__ == "__main__":
    sys.exit(main())
