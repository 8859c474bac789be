"""Waiting for a condition, with a deadline that says what did not come true."""
import time

PAUSE_S = 0.02


class TimedOut(AssertionError):
    """The condition did not come true in time."""


def until(condition, what, seconds=60):
    """Asks again and again until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimedOut(f"not within {seconds} s: {what}")
        time.sleep(PAUSE_S)
