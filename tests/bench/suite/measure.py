"""Figures: several runs of the same thing, alternating with what it is held against, and their ratios."""

import statistics
import sys
import time

started = time.monotonic()


def say(text):
    """One line of progress on standard error."""
    print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)


class Figures:
    """The values of several runs, in the order in which they were measured."""

    def __init__(self, values=()):
        self.values = list(values)

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    def as_json(self):
        return {"values": self.values, "min": min(self.values), "median": self.median, "max": max(self.values)}

    def shown(self, form):
        """min / median / max, or the one value there is."""
        if len(self.values) == 1:
            return form(self.values[0])
        return " / ".join(form(v) for v in (min(self.values), self.median, max(self.values)))


def ratios(ours, floors):
    """Pair by pair, as they were measured one after the other."""
    return Figures(a / b for a, b in zip(ours.values, floors.values) if b)

