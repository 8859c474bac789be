#!/usr/bin/env python3
"""Adds up what `meson test` ran in several build directories and prints it as tests/run promises.

usage: summary.py BROKEN BUILD_DIR...     BROKEN: 1 if a build failed, which fails the run whatever the tests said

A program that prints TAP counts with each of its cases, any other as one. What failed or was skipped is listed,
skipped cases with their reason.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as xml

PROGRAM_OUTCOME = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}  # all else: failed


def programs(log_dir):
    """(name, outcome, reason) of each test program; meson's JSON log has one line for each."""
    for log in log_dir.glob("testlog*.json"):
        for line in log.read_text().splitlines():
            run = json.loads(line)
            outcome = PROGRAM_OUTCOME.get(run["result"], "failed")
            said = run.get("stdout", "").strip().rpartition("\n")[2]  # why a whole program was skipped
            reason = {"passed": "", "skipped": said, "failed": run["result"]}[outcome]
            yield run["name"].split(" / ")[-1], outcome, reason


def tap_cases(log_dir):
    """{program: [(case, outcome, reason)]}; in meson's JUnit file a TAP program is a suite of its own."""
    cases = {}
    for log in log_dir.glob("testlog*.junit.xml"):
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


def results(build_dir):
    """(what, outcome, reason) of everything that ran in this build directory."""
    log_dir = pathlib.Path(build_dir, "meson-logs")
    cases = tap_cases(log_dir)
    for program, outcome, reason in programs(log_dir):
        of_program = cases.get(program, [])
        for case, case_outcome, case_reason in of_program:
            yield f"{program}: {case}", case_outcome, case_reason
        # a program may also die, or run out of time, between two cases
        if not of_program or (outcome == "failed" and all(c[1] != "failed" for c in of_program)):
            yield program, outcome, reason


def main(broken, build_dirs):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for build_dir in build_dirs:
        for what, outcome, reason in results(build_dir):
            count[outcome] += 1
            if outcome != "passed":
                print(f"{outcome}: {what}" + (f" ({reason})" if reason else ""))
    if broken:
        print("failed: a build, or meson itself; see its messages above")
        count["failed"] += 1
    if not any(count.values()):
        print("failed: no test ran")
    print(", ".join(f"{n} {outcome}" for outcome, n in count.items()))
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] == "1", sys.argv[2:]))
