"""Killed at every place that matters: what was acknowledged stays, nothing is there twice, all is made up for.

`pathwayd-crash` ends itself, as kill -9 would, at the n-th pass of a place: while events are sent in small
and large requests, in order and shuffled; while the first start writes its tables; while wakes are worked
off after a start with another clock, other rules are taken up by a start or while it serves, and while what came
late is worked off; in
commits, in slices of the tables that follow behind them, in checkpoints, and while it makes up for what an
earlier kill left behind. After each kill it starts again, with the next kill waiting, and is sent what it
did not acknowledge. Its limits are small (tests/CMakeLists.txt), so that little worlds have all of this.

PATHWAY_KILLS: how many kills (100). PATHWAY_SEED: chooses worlds, places and passes (1).
"""

import collections
import http.client
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from daemon import PATIENCE_S, ROOT, Daemon, binary, event, registered
from proof import fault, key, logged_keys, rows
from support import RULES, await_wakes, difference, export, judge, number_from

sys.path.append(str(ROOT / "tests/property"))
from worlds import World  # noqa: E402

KILLS = number_from("PATHWAY_KILLS", 100)
SEED = number_from("PATHWAY_SEED", 1)
CLOCKS = ["2018-09-01T00:00:00Z", "2019-01-18T00:00:00Z", "2019-08-31T23:00:00Z", "2022-12-01T00:00:00Z",
          "2023-08-31T23:00:00Z", "2023-11-14T00:00:00Z", "2024-01-29T00:00:00Z", "2024-09-01T12:00:00Z",
          "2025-02-01T00:00:00Z", "2026-11-21T09:00:00Z"]
PASSES = {"append": 40, "fold": 12, "judge": 12, "feed": 40, "slice": 8, "before commit": 8, "after commit": 8,
          "checkpoint": 4, "recover": 3, "generation": 6, "swap": 1}


class CrashingDaemon(Daemon):
    """Kills itself at the `number`-th pass of `place`."""

    def start_dying(self, place, number):
        """False: it was gone before it was ready."""
        self.environment = {"PATHWAYD_CRASH": f"{place}:{number}"}
        try:
            self.start()
        except (RuntimeError, OSError, http.client.HTTPException):
            self.process.wait(PATIENCE_S)
        return self.process.poll() is None

    def start(self, wait=True):
        crashing = os.environ.get("PATHWAYD_CRASHING", str(Path(binary("pathwayd")).parent / "pathwayd-crash"))
        with mock.patch.dict(os.environ, PATHWAYD=crashing):
            return super().start(wait)

    def was_killed(self):
        return self.process.wait(PATIENCE_S) == -signal.SIGKILL


class Story:
    """One world on its way into one database, through many kills."""

    def __init__(self, seed, rules_after):
        self.dice = random.Random(seed)
        self.told = f"world {seed}"
        events = World(seed).draw(self.dice.choice([60, 90, 150]))
        if self.dice.random() < 0.3:
            events.sort(key=lambda e: e["time"])
        else:
            self.dice.shuffle(events)
        size = self.dice.choice([1, 3, 10, 30, 80])
        size = max(size, len(events) // 30)
        self.requests = [events[i:i + size] for i in range(0, len(events), size)]
        if seed % 3 == 0:
            self.weigh_down(self.dice.choice([1, 3]))
        if seed % 4 == 1:
            self.widen()
        self.acknowledged = []
        self.clocks = self.dice.sample(CLOCKS, 7)
        if self.dice.random() < 0.8:  # else it is set back at times
            self.clocks.sort()
        self.rules_after = rules_after if self.dice.random() < 0.6 else None
        self.rules = RULES
        self.live = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.take_rules(RULES)
        self.reloads = False
        self.d = CrashingDaemon(now=self.clocks.pop(0), rules=self.live.name)

    def take_rules(self, folder):
        """Let these be what is in the folder of its rules, but for their tests, which would say no to others."""
        shutil.rmtree(f"{self.live.name}/national", ignore_errors=True)
        shutil.copytree(f"{folder}/national", f"{self.live.name}/national",
                        ignore=shutil.ignore_patterns("tests_*.lua"))
        self.rules = folder

    def weigh_down(self, every):
        """A school with so many events that refolding it leaves all others for later, and what refolds it."""
        member = {"group": "group/g9", "academic_year": "2017/18"}
        load = [event("contact.made", "school/1", member, id=f"load{i}",
                      time=f"2018-01-{i % 28 + 1:02d}T{i % 24:02d}:{i % 60:02d}:00Z") for i in range(100)]
        for number, request in enumerate(self.requests[::every]):
            request.insert(0, event("lead.named", "school/1", {"teacher": f"t{number % 5}"}, id=f"push{number}",
                                    time=f"2017-10-01T{number % 24:02d}:00:00Z"))
        self.requests.insert(0, load)

    def widen(self):
        """Many more schools, some in each request and all of them in two: sweeps of many slices."""
        schools = [registered(300000 + i) for i in range(80)]
        for number, request in enumerate(self.requests):
            request += schools[number % 8::8]
        self.requests = [[e for e in request if key(e) not in seen and not seen.add(key(e))]
                         for seen in [set()] for request in self.requests]
        for year in (2022, 2024):
            place = self.dice.randrange(len(self.requests) + 1)
            self.requests.insert(place, [event("lead.named", e["subject"], {"teacher": "t1"},
                                               time=f"{year}-10-01T00:00:00Z") for e in schools])

    def next_start(self):
        """With what it starts next, which is what there is to do before anything is sent."""
        self.reloads = False
        if not self.acknowledged:
            return "the first start"
        if self.clocks and self.dice.random() < 0.4:
            self.d.now = self.clocks.pop(0)
            return "another clock"
        if self.rules_after and self.dice.random() < 0.2:
            self.take_rules(self.rules_after)
            self.rules_after = None
            return "other rules"
        self.reloads = self.rules_after is not None and bool(self.requests)
        if self.reloads:
            return "a start as before, with other rules to be read"
        return "a start as before"

    def step(self, place, number):
        """Go on and be killed: while it starts or wakes, or while it is sent events. None: it was not."""
        if not self.d.start_dying(place, number) or not self.survive(lambda: await_wakes(self.d)):
            met = "before anything is sent"
        elif not self.survive(self.send_some):
            met = "while it is sent events"
        else:
            self.d.kill()
            met = None
        if met and not self.d.was_killed():
            raise AssertionError(f"not killed but ended:\n{self.d.log()}")
        return met

    def survive(self, action):
        """Do it; False: the daemon was gone before the end."""
        try:
            action()
        except (OSError, http.client.HTTPException):
            self.d.process.wait(PATIENCE_S)
        return self.d.process.poll() is None

    def read_rules(self):
        """Other rules, while it serves: they may be half way in when it is killed."""
        self.reloads = False
        self.take_rules(self.rules_after)
        self.rules_after = None
        answer = self.d.request("POST", "/v1/reload", "{}", {"Content-Type": "application/json"})
        if answer.status != 200:
            raise AssertionError(f"not taken: {answer.text()}")

    def send_some(self):
        for number in range(12):
            if self.reloads and number == 1:
                self.read_rules()
            if not self.requests:
                time.sleep(0.02)  # what was left for later may be under way
                return
            answer = self.d.send(self.requests[0])
            if answer["accepted"] + answer["duplicate"] != len(self.requests[0]):
                raise AssertionError(f"refused: {answer}")
            self.acknowledged += self.requests.pop(0)

    def log_fault(self):
        """What is wrong with the log after a kill."""
        if not rows(self.d.database, "SELECT 1 FROM sqlite_master WHERE name = 'event_row'"):
            return "an acknowledged event is gone" if self.acknowledged else None
        keys = logged_keys(self.d.database)
        there = set(keys)
        if len(there) != len(keys):
            return "an event is there twice"
        if not {key(e) for e in self.acknowledged} <= there:
            return "an acknowledged event is gone"
        fresh = there - {key(e) for e in self.acknowledged}
        unanswered = {key(e) for e in self.requests[0]} if self.requests else set()
        if fresh and fresh != unanswered - {key(e) for e in self.acknowledged}:
            return "a request is there in part"
        return None

    def left_behind(self):
        """What the file says of the moment of the kill."""
        if not os.path.exists(self.d.database) or \
                not rows(self.d.database, "SELECT 1 FROM sqlite_master WHERE name = 'watermark'"):
            return
        (number, is_whole), = rows(self.d.database, "SELECT number, is_whole FROM watermark")
        beyond = rows(self.d.database, "SELECT c.last >= c.first AND j.number IS NOT NULL FROM event_commit_row c"
                                       f" LEFT JOIN commit_judged j USING (number) WHERE number > {number}")
        if beyond:
            yield "with tables behind the log"
        if not is_whole:
            yield "within a sweep"
        if any(left for left, in beyond) or rows(self.d.database, "SELECT 1 FROM subject_row WHERE causes <> ''"):
            yield "with work left for later"
        if rows(self.d.database, "SELECT 1 FROM event_key"):
            yield "with keys in runs"

    def end_fault(self):
        """Send the rest in peace. What is wrong then."""
        self.d.environment = {}
        self.d.start()
        for request in self.requests:
            self.d.send(request)
            self.acknowledged += request
        await_wakes(self.d)
        why = difference(export(self.d), judge(self.acknowledged, self.d.now, self.rules))
        if why:
            return why
        if self.d.stop() != 0:
            return self.d.log()
        if set(logged_keys(self.d.database)) != {key(e) for e in self.acknowledged}:
            return "the log is not what was sent"
        return fault(self.d.database)


class Crash(unittest.TestCase):
    def setUp(self):
        self.hits = collections.Counter()
        self.met = collections.Counter()
        self.dice = random.Random(SEED)
        self.last_place = None

    def other_rules(self):
        """The national pack with another number in it: a new generation."""
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        copy = Path(folder.name) / "rules"
        shutil.copytree(RULES, copy)
        pack = copy / "national/pack.lua"
        text = pack.read_text()
        changed = text.replace("leads_needed = 2,", "leads_needed = 1,")
        self.assertNotEqual(text, changed)
        pack.write_text(changed)
        return copy

    def choose(self, start, is_behind):
        """The place hit least so far, and a pass of it: an early one where little is to be done."""
        if self.last_place == "recover" and self.dice.random() < 0.5:
            return "recover", 1  # again, in what that kill left
        places = [p for p in PASSES if is_behind or p != "recover"]
        if start.endswith("to be read"):
            places = ["generation", "swap"] if self.dice.random() < 0.7 else places
        elif start == "other rules":
            places = ["generation"] if self.dice.random() < 0.5 else [p for p in places if p != "swap"]
        else:
            places = [p for p in places if p not in ("generation", "swap")]
        place = min(places, key=lambda p: (self.hits[p], self.dice.random()))
        few = start != "a start as before" and self.dice.random() < 0.6
        return place, self.dice.randint(1, 2 if few else PASSES[place])

    def must_go_on(self):
        """Until there have been so many; a few more, where some place was not reached by chance."""
        kills, missed = sum(self.hits.values()), [p for p in PASSES if not self.hits[p]]
        return kills < KILLS or (KILLS >= 100 and missed != [] and kills < 2 * KILLS)

    def kill_once(self, story):
        """False: the chosen pass was never reached."""
        start = story.next_start()
        place, number = self.choose(start, "with tables behind the log" in story.left_behind())
        story.told += f"; {start}, {place}:{number}"
        met = story.step(place, number)
        if not met:
            return False
        self.hits[place] += 1
        self.met[f"{met}, after {start}"] += 1
        self.met["in recovery from a kill in recovery"] += place == self.last_place == "recover"
        self.met.update(story.left_behind())
        self.last_place = place
        self.assertIsNone(story.log_fault(), story.told)
        if sum(self.hits.values()) % 10 == 0:
            self.assertIsNone(fault(story.d.database), story.told)
        return True

    def test_what_was_acknowledged_survives_a_kill_at_any_place(self):
        rules, seed = self.other_rules(), SEED * 1000
        while self.must_go_on():
            story = Story(seed, rules)
            seed += 1
            self.last_place = None
            try:
                misses = 0
                while misses < 3 and self.must_go_on():
                    misses += not self.kill_once(story)
                self.assertIsNone(story.end_fault(), f"PATHWAY_SEED={SEED} {story.told}")
            finally:
                story.d.close()
                story.live.cleanup()
        if KILLS >= 100:
            self.assertEqual({p for p in PASSES if not self.hits[p]}, set(), "places that were never hit")
        told = [f"PATHWAY_SEED={SEED}: {sum(self.hits.values())} kills in {seed - SEED * 1000} worlds"]
        told += [f"  {count:4} at {place}" for place, count in sorted(self.hits.items())]
        told += [f"  {count:4} {met}" for met, count in sorted(self.met.items())]
        print("\n".join(told))


if __name__ == "__main__":
    unittest.main()
