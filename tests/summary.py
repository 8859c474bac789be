#!/usr/bin/env python3
"""Adds up what `meson test` ran in several build directories and prints it as tests/run promises.

usage: summary.py BROKEN BUILD_DIR...     BROKEN: 1 if a build failed, which fails the run whatever the tests said
       summary.py --failed BUILD_DIR      the programs that failed, a line each

A program that prints TAP counts with each of its cases, any other as one. What failed or was skipped is listed,
skipped cases with their reason. Of a program that ran once more (logs `again*`) the second run counts; what had failed in
the first only is listed as unsteady.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml

PROGRAM_OUTCOME = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}  # all else: failed


def programs(log_dir, base):
    """(name, outcome, reason) of each test program; meson's JSON log has one line for each."""
    for log in log_dir.glob(f"{base}*.json"):
        for line in log.read_text().splitlines():
            run = json.loads(line)
            outcome = PROGRAM_OUTCOME.get(run["result"], "failed")
            said = run.get("stdout", "").strip().rpartition("\n")[2]  # why a whole program was skipped
            reason = {"passed": "", "skipped": said, "failed": run["result"]}[outcome]
            yield run["name"].split(" / ")[-1], outcome, reason


def tap_cases(log_dir, base):
    """{program: [(case, outcome, reason)]}; in meson's JUnit file a TAP program is a suite of its own."""
    cases = {}
    for log in log_dir.glob(f"{base}*.junit.xml"):
        for suite in xml.parse(log).getroot().iter("testsuite"):
            _, is_program, program = suite.get("name").rpartition(" / ")
            for case in suite.iter("testcase") if is_program else []:
                if case.find("skipped") is not None:
                    outcome = "skipped"
                elif case.find("failure") is not None or case.find("error") is not None:
                    outcome = "failed"
                else:
                    outcome = "passed"
                cases.setdefault(program, []).append((case.get("name"), outcome, case.findtext("system-out") or ""))
    return cases


def results(log_dir, base):
    """{program: [(what, outcome, reason)]} of everything that ran with logs of this name."""
    cases = tap_cases(log_dir, base)
    found = {}
    for program, outcome, reason in programs(log_dir, base):
        of_program = cases.get(program, [])
        found[program] = [(f"{program}: {case}", how, why) for case, how, why in of_program]
        # a program may also die, or run out of time, between two cases
        if not of_program or (outcome == "failed" and all(c[1] != "failed" for c in of_program)):
            found[program].append((program, outcome, reason))
    return found


def failed(of_program):
    return [what for what, outcome, _ in of_program if outcome == "failed"]


def names_of_failed(build_dir):
    return [program for program, all_of_it in results(pathlib.Path(build_dir, "meson-logs"), "testlog").items()
            if failed(all_of_it)]


def main(broken, build_dirs):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for build_dir in build_dirs:
        log_dir = pathlib.Path(build_dir, "meson-logs")
        first, again = results(log_dir, "testlog"), results(log_dir, "again")
        for program, of_program in {**first, **again}.items():
            for what, outcome, reason in of_program:
                count[outcome] += 1
                if outcome != "passed":
                    print(f"{outcome}: {what}" + (f" ({reason})" if reason else ""))
            if program in again and not failed(of_program):
                for what in failed(first.get(program, [])):
                    print(f"unsteady: {what} (failed at first, held when it ran alone; {log_dir}/testlog.txt)")
    if broken:
        print("failed: a build, or meson itself; see its messages above")
        count["failed"] += 1
    if not any(count.values()):
        print("failed: no test ran")
    print(", ".join(f"{n} {outcome}" for outcome, n in count.items()))
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    if sys.argv[1] == "--failed":
        print(*names_of_failed(sys.argv[2]), sep="\n", end="")
    else:
        sys.exit(main(sys.argv[1] == "1", sys.argv[2:]))
