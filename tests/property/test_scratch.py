"""Incremental equals scratch: following each event gives what folding all anew gives, feed included.

The same events go one by one to `pathwayd` and to `pathwayd-scratch`, which tracks nothing and folds and
judges anew each time: in order and shuffled, with late events, voids of voids, successions, events that lie
ahead, and starts with a later clock. After every single event the current decisions and the feeds are equal.

PATHWAY_EVENTS: how many events in all (800). PATHWAY_SEED: the first world (1).
"""

import os
import random
import unittest
from pathlib import Path
from unittest import mock

from daemon import Daemon, binary, event
from support import await_wakes, difference, lines_of, number_from
from worlds import World, generated

EVENTS = number_from("PATHWAY_EVENTS", 800)
SEED = number_from("PATHWAY_SEED", 1)
CLOCKS = ["2018-09-01T00:00:00Z", "2019-01-18T00:00:00Z", "2022-12-01T00:00:00Z", "2023-08-31T23:00:00Z",
          "2024-01-29T00:00:00Z", "2024-09-01T12:00:00Z", "2025-02-01T00:00:00Z", "2026-11-21T09:00:00Z"]


class ScratchDaemon(Daemon):
    def start(self, wait=True):
        scratch = os.environ.get("PATHWAYD_SCRATCH", str(Path(binary("pathwayd")).parent / "pathwayd-scratch"))
        with mock.patch.dict(os.environ, PATHWAYD=scratch):
            return super().start(wait)


class Side:
    """A daemon, and what of its feed has been read."""

    def __init__(self, daemon):
        self.d = daemon
        self.seen = 0

    def restart(self, now):
        assert self.d.stop() == 0, self.d.log()
        self.d.now = now
        self.d.start()
        await_wakes(self.d)

    def send(self, events):
        """A hub whose rules were met by the clock twice is held back for a while: each event is judged before the next."""
        self.d.send(events)
        await_wakes(self.d)

    def decisions(self):
        return self.d.request("GET", "/v1/export/decisions").text()

    def fresh_entries(self):
        """What the feed has since the last time; when it was recorded, and where, is each daemon's own."""
        page = self.d.request("GET", f"/v1/changes?after={self.seen}&limit=5000").json()
        self.seen = page["next"]
        return [{name: value for name, value in entry.items() if name not in ("id", "time")}
                for entry in page["items"]]


def steps_of(seed, events=None):
    """The first clock; then events, and clocks to start again with."""
    dice = random.Random(seed)
    events = events or generated(seed, 2) if seed % 5 == 0 else World(seed).draw(dice.choice([40, 60, 100]))
    order = dice.choice(["in order", "shuffled", "shuffled", "nearly"])
    if order == "shuffled":
        dice.shuffle(events)
    else:
        events.sort(key=lambda e: e["time"])
    if order == "nearly":
        for i in range(len(events) - 12):
            if dice.random() < 0.2:
                events.insert(i + dice.randint(1, 11), events.pop(i))
    clocks = sorted(dice.sample(CLOCKS, dice.randint(1, 5)))
    steps = list(events)
    for place, clock in zip(sorted(dice.sample(range(1, len(steps)), len(clocks) - 1), reverse=True),
                            reversed(clocks[1:])):
        steps.insert(place, clock)
    return clocks[0], steps


def by_subject(feed):
    """Each subject's entries in their order, whatever came in between: a hub whose rules were met by the clock twice, on a
    busy machine, is judged after others."""
    told = [entry | {"data": {name: value for name, value in entry["data"].items() if name != "seq"}} for entry in feed]
    return sorted(told, key=lambda entry: entry["subject"])


def first_difference(now, steps, most=EVENTS, rules=None):
    """(None or how the two differ, how many events were sent). `rules`: with overlays."""
    count = 0
    with Daemon(now=now, rules=rules) as tracking, ScratchDaemon(now=now, rules=rules) as scratch:
        sides = [Side(tracking), Side(scratch)]
        for number, step in enumerate(steps):
            for side in sides:
                side.restart(step) if isinstance(step, str) else side.send([step])
            count += not isinstance(step, str)
            why = difference(*(side.decisions() for side in sides))
            feeds = [side.fresh_entries() for side in sides]
            feeds = [by_subject(feed) for feed in feeds] if rules else feeds
            if not why and feeds[0] != feeds[1]:
                why = "the feeds:\n" + "\n".join(
                    f"{name}  {entry}" for name, feed, other in zip(("found   ", "expected"), feeds, feeds[::-1])
                    for entry in feed if entry not in other)
            if why:
                sent = "".join(s + "\n" if isinstance(s, str) else lines_of([s]) for s in steps[:number + 1])
                return f"{why}\nstart at {now}\n{sent}", count
            if count >= most:
                break
    return None, count


class Scratch(unittest.TestCase):
    def test_after_every_event_both_daemons_say_the_same(self):
        done, seed = 0, SEED
        while done < EVENTS:
            why, count = first_difference(*steps_of(seed), EVENTS - done)
            self.assertIsNone(why, f"PATHWAY_SEED={seed}\n{why}")
            done += count
            seed += 1
        print(f"PATHWAY_SEED={SEED}: {done} events of {seed - SEED} worlds, compared after each")

    def test_an_event_before_a_moment_at_which_the_school_has_moved(self):
        """In order, and yet late: the school moved by itself on 1 September."""
        def at(day, kind, data=None):
            return event(kind, "school/100001", data, time=f"2023-{day}T00:00:00Z")

        moved = [at("01-01", "school.registered", {"name": "S", "hub": "01", "education_phase": "primary",
                                                   "status": "open"}),
                 at("02-01", "commitment.given"), at("03-01", "lead.named", {"teacher": "t1"}),
                 at("03-02", "lead.named", {"teacher": "t2"}),
                 at("08-01", "group.joined", {"group": "group/g1", "kind": "development",
                                              "academic_year": "2023/24"})]
        for late in (at("08-02", "commitment.withdrawn"), at("08-31", "lead.stood_down", {"teacher": "t1"}),
                     at("08-31", "contact.made", {"group": "group/g1", "academic_year": "2023/24"})):
            why, _ = first_difference("2023-12-01T00:00:00Z", moved + [late])
            self.assertIsNone(why, why)


if __name__ == "__main__":
    unittest.main()
