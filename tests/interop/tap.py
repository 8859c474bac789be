"""Runs a module of unittest tests and prints TAP, one line per test, as meson understands it.

Tracebacks and a test's own output go to standard error. Names of tests can be given as with unittest.
"""
import sys
import time
import traceback
import unittest


class TapResult(unittest.TestResult):
    def __init__(self, total):
        super().__init__()
        self.count, self.started, self.bad, self.skipped_because = 0, 0.0, False, None
        print(f"1..{total}", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.started, self.bad, self.skipped_because = time.monotonic(), False, None

    def stopTest(self, test):
        super().stopTest(test)
        self.count += 1
        name = f"{type(test).__name__}.{test._testMethodName}"
        remark = f" # SKIP {self.skipped_because}" if self.skipped_because else ""
        print(f"{'not ok' if self.bad else 'ok'} {self.count} {name}{remark}")
        print(f"# {name}: {time.monotonic() - self.started:.1f} s", flush=True)

    def _trouble(self, test, error):
        self.bad = True
        print(f"\n--- {test.id()}", file=sys.stderr)
        traceback.print_exception(*error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._trouble(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._trouble(test, error)
        if not isinstance(test, unittest.TestCase):  # setUpClass or setUpModule: none of its tests will come
            print(f"Bail out! {test}", flush=True)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._trouble(subtest, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skipped_because = reason


def skip_all(reason):
    """Ends the program: nothing of it can run here."""
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


def main():
    loader = unittest.defaultTestLoader
    module = sys.modules["__main__"]
    names = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = TapResult(suite.countTestCases())
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
