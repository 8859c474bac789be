#!/usr/bin/env python3
"""Each fence keeps out what it is there for, and lets through what belongs; then the whole tree stands within them."""
import unittest

import fences


class Fences(unittest.TestCase):
    def refused(self, name, include):
        return list(fences.includes(name, f"#include {include}\n"))

    def named(self, name, text):
        return list(fences.named_files(name, text, ["actors/log.hpp", "actors/log.cpp", "actors/runtime/actor.hpp", "actors/README.md"]))

    def test_floors(self):
        self.assertTrue(self.refused("protocol/hash.cpp", '"storage/store.hpp"'))
        self.assertTrue(self.refused("storage/store.cpp", '"actors/log.hpp"'))
        self.assertTrue(self.refused("actors/log.cpp", '"cli/output.hpp"'))
        self.assertTrue(self.refused("cli/output.cpp", '"tests/rules/main.cpp"'))
        self.assertFalse(self.refused("cli/output.cpp", '"actors/log.hpp"'))
        self.assertFalse(self.refused("storage/store.cpp", '"protocol/ids.hpp"'))

    def test_libraries(self):
        self.assertTrue(self.refused("actors/node/node.cpp", "<caf/all.hpp>"))
        self.assertFalse(self.refused("actors/runtime/caf_runtime.cpp", "<caf/all.hpp>"))
        self.assertTrue(self.refused("actors/database/database.cpp", "<lmdb.h>"))
        self.assertTrue(self.refused("cli/drill/run/play.cpp", "<CLI/CLI.hpp>"))
        self.assertTrue(self.refused("storage/store.cpp", "<nlohmann/json.hpp>"))

    def test_the_protocol_asks_nobody(self):
        for header in ("<sys/socket.h>", "<fstream>", "<thread>", "<fmt/format.h>"):
            self.assertTrue(self.refused("protocol/packet.cpp", header), header)
        self.assertFalse(self.refused("protocol/packet.cpp", "<vector>"))

    def test_texts(self):
        self.assertTrue(list(fences.readme_links("README.md", "[x](nowhere/README.md)")))
        self.assertTrue(list(fences.readme_links("README.md", "[x](protocol/README.md#no-such-heading)")))
        self.assertFalse(list(fences.readme_links("README.md", "[x](protocol/README.md) [y](https://a.example/)")))
        self.assertTrue(self.named("actors/log.hpp", "/// see actors/gone.hpp\n"))
        self.assertTrue(self.named("actors/log.hpp", "/// gone.cpp (what is not there), log.cpp\n"))
        self.assertTrue(self.named("README.md", "`runtime/gone.hpp`"))
        self.assertFalse(self.named("actors/log.hpp", "/// see actors/log.hpp, runtime/actor.hpp, log.cpp\n"))
        self.assertFalse(self.named("README.md", "`runtime/actor.hpp`, `actors/README.md`, `command/NAME.cpp`"))

    def test_maps(self):
        looked = lambda text, *names: len(list(fences.not_on_the_map("actors", text, names)))  # noqa: E731
        self.assertEqual(0, looked("| log | `log.hpp` |", "actors/log.hpp", "actors/log.cpp", "actors/net/switch.hpp", "log.hpp"))
        self.assertEqual(0, looked("`hex` for keys", "actors/hex.hpp"))
        self.assertEqual(1, looked("`log_limit.hpp`", "actors/log.hpp"))

    def test_the_model(self):
        rules = "/* R8  keeps\n * protocol/rules/winner.hpp */\nhidden byte R8;\n"
        runs = "small | without R8 | nothing is lost | R8=0\n"
        texts = {"protocol/rules/winner.hpp": "/// rule R8 of the model"}
        self.assertEqual(list(fences.model_rules(rules, runs, texts)), [])
        self.assertTrue(list(fences.model_rules(rules, runs, {"protocol/rules/winner.hpp": "/// nothing of it"})))
        self.assertTrue(list(fences.model_rules(rules, runs, {**texts, "actors/log.hpp": "/// see rule R9"})))
        self.assertTrue(list(fences.model_rules(rules, "small | all well | holds | BREAKS=1\n", texts)))
        self.assertTrue(list(fences.model_rules(rules, "small | without R8 | holds | R8=0\n", texts)))
        self.assertTrue(list(fences.model_rules("hidden byte R8;\n", runs, texts)))

    def test_what_was_forgotten(self):
        builds = {"meson.build": "", "cli/meson.build": "files(\n    'command/pnn.cpp',\n)", "tests/meson.build": "'../cli/shared.cpp'"}
        texts = ['#include "cli/known.hpp"\n#include "rows.def"\n']
        looked = lambda *names: list(fences.left_out(names, builds, texts))  # noqa: E731
        self.assertEqual(looked("cli/command/pnn.cpp", "cli/shared.cpp", "cli/known.hpp", "cli/rows.def"), [])
        self.assertEqual(looked("cli/command/mood.cpp"), ["cli/command/mood.cpp is not compiled: name it in cli/meson.build"])
        self.assertEqual(looked("cli/dead.hpp"), ["cli/dead.hpp: nobody includes it"])
        self.assertEqual(looked("actors/known.hpp"), ["actors/known.hpp: nobody includes it"])

    def test_rows_without_a_use(self):
        texts = {"protocol/controls.def": "FLOE_CONTROL(3, ping, PING,\nFLOE_CONTROL(0x464C0017, get_mood, GET_MOOD,",
                 "protocol/mutants.def": 'MUTANT(lies, "x")\n', "actors/events.def": 'FLOE_EVENT(mood_asked, "mood-asked"',
                 "actors/node/controls.cpp": "t.add(handle<c::ping>(", "cli/mood.cpp": "<c::get_mood>",
                 "actors/database/database.cpp": "case control::db_mood: return true;"}
        texts["protocol/controls.def"] += '\nFLOE_CONTROL(0x464C0018, db_mood, DB_MOOD, db_id, mood, exact, any,\n  own | of_db,\n"x")'
        self.assertEqual(["get_mood", "db_mood", "db_mood", "lies", "mood_asked"], [line.split()[1] for line in fences.unused_rows(texts)])
        texts["actors/node/controls.cpp"] += "handle<c::get_mood>(\nto_database<c::db_mood>(\nnote(event::mood_asked{}); mutated(mutant::lies)"
        texts["actors/database/database.cpp"] += "\ncase control::db_mood: return mood(m);"
        self.assertEqual([], list(fences.unused_rows(texts)))

    def test_controls_that_nobody_asks_for(self):
        row = "FLOE_CONTROL(3, ping, PING,\nFLOE_CONTROL(0x464C0017, get_mood, GET_MOOD,\n"
        asked = lambda text: not list(fences.unasked_controls(row, {"a.cpp": text}))  # noqa: E731
        for text in ("outcome_of<control::get_mood> mood(const request_of<control::get_mood>&)", "case control::get_mood: return mood(m);",
                     "m.request<control::get_mood>()", "handle<c::get_mood>"):
            self.assertFalse(asked(text), text)
        for text in ("ask<control::get_mood>(s, c)", "control_many(nodes, control::get_mood, {}, t)", "{.opcode = control::get_mood}"):
            self.assertTrue(asked(text), text)

    def test_events_that_are_lost(self):
        rows = 'FLOE_EVENT(mood, "mood", info, timeline,\nFLOE_EVENT(whim, "whim", info, log,\n'
        said = lambda text: len(list(fences.only_logged(rows, {"actors/mood.cpp": text})))  # noqa: E731
        self.assertEqual([1, 1], [said("env_.log.tell(event::mood{})"), said("log_.tell(\n  event::mood{})")])
        self.assertEqual([0, 0], [said("env_.log.tell(event::whim{})"), said("port_.note(event::mood{})")])

    def test_prints_that_throw(self):
        said = lambda name, text: len(list(fences.throwing_prints(name, text)))  # noqa: E731
        self.assertEqual(1, said("cli/progress.cpp", 'fmt::print(stderr, "x")'))
        self.assertEqual(0, said("cli/progress.cpp", 'say("x")'))
        self.assertEqual(0, said("tests/bench/main.cpp", 'fmt::print("x")'))

    def test_events_of_no_database(self):
        rows = 'FLOE_EVENT(mood, "mood", info, log,\n           FLOE_DB() FLOE_FIELD(text, why),\n' \
               'FLOE_EVENT(whim, "whim", info, log,\n           FLOE_FIELD(text, why),\n'
        said = lambda text: len(list(fences.of_no_database(rows, {"actors/mood.cpp": text})))  # noqa: E731
        self.assertEqual([1, 1], [said('log.tell(event::mood{.why = "x"});'), said("log_.tell(\n    event::mood{});")])
        self.assertEqual([0, 0], [said("log.tell(event::mood{.db = n, .why = w});"), said('log.tell(event::whim{.why = "x"});')])

    def test_drills_and_mutants(self):
        mutants = 'MUTANT(lies, "bug 1", "a node lies", "truth", 20)\nMUTANT(steps, "x", "y", "table-steps", 200)\n'
        row = "| bug 1 | a node lies | `truth` | 3 | kept writes |\n"
        self.assertEqual([], list(fences.untold_mutants(mutants, row, {"truth"})))
        self.assertEqual(1, len(list(fences.untold_mutants(mutants, row, set()))))
        self.assertEqual(1, len(list(fences.untold_mutants(mutants, "", {"truth"}))))
        self.assertEqual(1, len(list(fences.untold_mutants("", row, set()))))
        table = "# Drills\n\n`other`\n\n## The shipped drills\n\n| `truth` | lies |\n\n## On real processes\n\n`kill`\n"
        shipped = lambda build, readme: len(list(fences.unshipped_drills(["cli/drills/truth.drill"], build, readme)))  # noqa: E731
        self.assertEqual(0, shipped("  'truth.drill',", table))
        self.assertEqual(1, shipped("", table))
        self.assertEqual(1, shipped("  'truth.drill',", ""))
        self.assertEqual(1, shipped("  'truth.drill',", table.replace("lies", "`gone`")))

    def test_tunables(self):
        rows = 'FLOE_TUNABLE(1, used, Used, 1, "s",\n "x")\nFLOE_TUNABLE(2, idle, Idle, 1, "s",\n "x")\nFLOE_OWN_TUNABLE(62, own, Own, 1, "s", "x")\n'
        says, looks = 'FLOE_NO_EFFECT(idle, Idle, "there is nothing")\n', ["tunables[tunable::used] + tunables[tunable::own]"]
        self.assertEqual(list(fences.idle_tunables(rows, says, looks)), [])
        self.assertTrue(list(fences.idle_tunables(rows, "", looks)))
        self.assertTrue(list(fences.idle_tunables(rows, says, ["tunable::used"])))
        self.assertTrue(list(fences.idle_tunables(rows, says, looks + ["tunable::idle"])))
        self.assertTrue(list(fences.idle_tunables(rows, says + 'FLOE_NO_EFFECT(gone, Gone, "x")\n', looks)))

    def test_the_tree(self):
        self.assertEqual(fences.main(), 0)


if __name__ == "__main__":
    unittest.main()
