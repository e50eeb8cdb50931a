"""However events arrive, the current decisions are those of a fresh fold of all of them.

Small worlds are sent in small batches, in order or shuffled, some twice, with stops, kills and a clock that
goes on in between. After each step the daemon's current decisions must be, byte for byte, what
`pathway judge` makes of everything sent so far.

PATHWAY_WORLDS: how many worlds of each kind (8). PATHWAY_SEED: the first seed (1). A world that fails is printed as the
shortest history found that still fails; PATHWAY_SHRINK=0 leaves that out.
"""

import random
import threading
import time
import unittest

from daemon import Daemon, event, registered
from support import BRITTLE, RULES, await_true, await_wakes, difference, export, judge, lines_of, number_from
from worlds import BrittleWorld, World, generated

WORLDS = number_from("PATHWAY_WORLDS", 8)
SEED = number_from("PATHWAY_SEED", 1)
CLOCKS = ["2018-09-01T00:00:00Z", "2019-03-01T09:00:00Z", "2022-12-01T00:00:00Z", "2023-08-31T23:00:00Z",
          "2024-01-29T00:00:00Z", "2024-09-01T12:00:00Z", "2025-02-01T00:00:00Z", "2025-11-01T00:00:00Z",
          "2026-11-21T09:00:00Z"]


def history_of(seed, world=World):
    """Steps of a world: ("send", events), or ("stop" or "kill", the time at which it starts again)."""
    dice = random.Random(seed)
    is_told = world is World and seed % 4 == 0
    events = generated(seed) if is_told else world(seed).draw(dice.choice([30, 60, 90]))
    order = dice.choice(["as drawn", "in order", "shuffled", "nearly"])
    if order in ("in order", "nearly"):
        events = sorted(events, key=lambda e: e["time"])
    if order == "shuffled":
        dice.shuffle(events)
    if order == "nearly":
        for i in range(len(events) - 8):
            if dice.random() < 0.1:
                j = i + dice.randint(1, 7)
                events[i], events[j] = events[j], events[i]
    clocks = sorted(dice.sample(CLOCKS, dice.randint(1, 4)))
    steps, size = [], dice.choice([1, 3, 10, 25])
    size = max(size, len(events) // 25)  # so that a world takes a second or two
    for first in range(0, len(events), size):
        batch = events[first:first + size]
        if dice.random() < 0.2 and first:
            batch = batch + [dice.choice(events[:first])]
        steps.append(("send", batch))
    for clock in clocks[1:] + [clocks[-1]] * dice.randint(0, 1):
        steps.insert(dice.randint(1, len(steps)), (dice.choice(["stop", "kill"]), clock))
    now = clocks[0]
    for i, (what, clock) in enumerate(steps):  # the clock goes on, never back
        if what != "send":
            now = max(now, clock)
            steps[i] = (what, now)
    return clocks[0], steps


def run(history, rules=RULES, after_each=True):
    """None, or how the daemon differs from a fresh fold, and after which step."""
    now, steps = history
    sent = []
    with Daemon(now=now, rules=rules) as d:
        for number, (what, detail) in enumerate(steps):
            if what == "send":
                d.send(detail)
                sent += detail
            else:
                (d.stop if what == "stop" else d.kill)()
                d.now = now = detail
                d.start()
                await_wakes(d)
            if sent and (after_each or number == len(steps) - 1):
                why = difference(export(d, format="ndjson"), judge(sent, now, rules, "ndjson"))
                if why:
                    return number, why
        if d.stop() != 0:
            return len(steps), d.log()
    return None


def shrink(history, rules, rounds=400):
    """The shortest history found that still fails at its end."""
    now, steps = history
    failure = run(history, rules)
    steps = steps[:failure[0] + 1]
    atoms = [("send", [e]) if what == "send" else (what, detail)
             for what, detail in steps for e in (detail if what == "send" else [None])]

    def fails(atoms):
        return bool(atoms) and run((now, atoms), rules, after_each=False) is not None

    if not fails(atoms):  # it needs the batches as they were
        atoms = steps
    size = len(atoms) // 2
    while size and rounds:
        i = 0
        while i < len(atoms) and rounds:
            rounds -= 1
            fewer = atoms[:i] + atoms[i + size:]
            if fails(fewer):
                atoms = fewer
            else:
                i += size
        size //= 2
    return now, atoms


def told(history):
    now, steps = history
    return f"start at {now}\n" + "".join(
        "send\n" + lines_of(detail) if what == "send" else f"{what}, start at {detail}\n" for what, detail in steps)


class Incremental(unittest.TestCase):
    def check(self, first, count, world, rules):
        for seed in range(first, first + count):
            with self.subTest(seed=seed):
                history = history_of(seed, world)
                failure = run(history, rules)
                if failure:
                    if number_from("PATHWAY_SHRINK", 1):
                        history = shrink(history, rules)
                        failure = run(history, rules) or failure
                    self.fail(f"PATHWAY_SEED={seed} differs after step {failure[0]}\n{failure[1]}\n{told(history)}")

    def test_the_current_decisions_are_those_of_a_fresh_fold(self):
        self.check(SEED, WORLDS, World, RULES)

    def test_so_they_are_where_rules_moves_and_reducers_fail(self):
        self.check(SEED, WORLDS, BrittleWorld, BRITTLE)


def moment(seconds):
    """An instant of the real clock, so many seconds from now."""
    at = time.time() + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000000):06d}Z"


class RunningClock(unittest.TestCase):
    """Records that stay in memory while time goes on: bells that ring, and events that come, moments later."""

    def live(self, seed, told):
        """A world lived through in two seconds."""
        world, dice = BrittleWorld(seed), random.Random(seed)
        world.time = lambda: moment(dice.choice([-1, 0, 0, 0, 0.2, 0.5]))
        with Daemon(now=None, rules=BRITTLE) as d:
            for _ in range(40):
                school = dice.choice(world.schools[:3])
                before = len(world.made)
                for make in dice.sample([world.turn, world.turn, world.name, world.void], dice.randint(1, 2)):
                    make(school)
                if dice.random() < 0.6:
                    world.set_bell(school, moment(dice.choice([0.05, 0.1, 0.3])))
                d.send(world.made[before:])
                time.sleep(dice.random() * 0.08)
            time.sleep(0.8)  # all bells have rung
            while True:
                await_wakes(d)
                now = moment(0)
                found = export(d, format="ndjson")
                if moment(0)[:13] == now[:13]:  # no midnight has passed in between
                    break
            told[seed] = difference(found, judge(world.made, now, BRITTLE, "ndjson"))

    def test_the_current_decisions_are_those_of_a_fresh_fold(self):
        told = {}
        threads = [threading.Thread(target=self.live, args=(seed, told)) for seed in range(SEED, SEED + WORLDS)]
        for first in range(0, len(threads), 8):
            for thread in threads[first:first + 8]:
                thread.start()
            for thread in threads[first:first + 8]:
                thread.join()
        self.assertEqual(len(told), WORLDS)
        for seed, why in told.items():
            with self.subTest(seed=seed):
                self.assertIsNone(why, why)


SCHOOL = "school/100001"
JOINED = {"group": "group/g1", "kind": "development", "academic_year": "2023/24"}
READY = [  # what moves the school into Development on 1 September 2023
    registered(100001) | {"time": "2023-01-01T00:00:00Z"},
    event("commitment.given", SCHOOL, time="2023-02-01T00:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t1"}, time="2023-03-01T00:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t2"}, time="2023-04-01T00:00:00Z"),
    event("group.joined", SCHOOL, JOINED, id="joined", time="2023-08-20T00:00:00Z"),
]


class Directed(unittest.TestCase):
    """Short histories: what has gone wrong, and what a record that stays in memory must notice."""

    def check(self, now, *steps, rules=RULES):
        steps = [step if isinstance(step, tuple) else ("send", step) for step in steps]
        failure = run((now, steps), rules)
        if failure:
            self.fail(f"after step {failure[0]}\n{failure[1]}")

    def test_a_past_event_of_a_subject_whose_events_all_lay_ahead(self):
        self.check("2023-09-01T00:00:00Z", [event("commitment.given", SCHOOL, time="2024-01-01T00:00:00Z")],
                   [event("commitment.given", SCHOOL, time="2023-01-01T00:00:00Z")])

    def test_an_event_after_all_others_but_before_a_move_that_came_by_itself(self):
        for kind, data in (("commitment.withdrawn", {}), ("lead.stood_down", {"teacher": "t1"}),
                           ("group.left", JOINED), ("school.closed", {})):
            with self.subTest(kind=kind):
                self.check("2023-12-01T00:00:00Z", READY, [event(kind, SCHOOL, data, time="2023-08-25T00:00:00Z")])

    def test_an_event_at_the_very_moment_of_a_move(self):
        at = "2023-08-31T23:00:00Z"
        self.check("2023-12-01T00:00:00Z", READY, [event("commitment.withdrawn", SCHOOL, time=at)],
                   [event("commitment.given", SCHOOL, id="again", time=at, sequence="2")])

    def test_events_of_one_instant_that_arrive_in_another_order(self):
        at = "2023-02-01T00:00:00Z"
        given = [event("commitment.given", SCHOOL, id="g", time=at, sequence="1"),
                 event("commitment.withdrawn", SCHOOL, id="w", time=at, sequence="2")]
        self.check("2023-12-01T00:00:00Z", READY[:1], given[1:], given[:1])

    def test_a_void_that_arrives_before_what_it_voids_reaches_all_that_it_touches(self):
        void = event("event.voided", SCHOOL, {"source": "urn:test", "id": "joined"}, id="v",
                     time="2023-10-01T00:00:00Z")
        formed = event("group.formed", "group/g1", {"kind": "development", "hub": "01", "academic_year": "2023/24"},
                       time="2023-01-01T00:00:00Z")
        self.check("2023-12-01T00:00:00Z", [formed], [void], READY[4:],
                   [event("event.voided", SCHOOL, {"source": "urn:test", "id": "v"}, time="2023-11-01T00:00:00Z")])

    def test_a_void_of_a_void_reaches_what_the_first_one_touched(self):
        voids = [event("event.voided", SCHOOL, {"source": "urn:test", "id": target}, id=id,
                       time=f"2023-10-0{number}T00:00:00Z")
                 for number, (id, target) in enumerate([("v1", "joined"), ("v2", "v1"), ("v3", "v2")], 1)]
        self.check("2023-12-01T00:00:00Z", READY, *([void] for void in voids))

    def test_an_event_of_a_predecessor_reaches_all_that_continue_it(self):
        succeeded = [event("school.succeeded", f"school/10000{n + 1}", {"predecessor": f"school/10000{n}"},
                           time=f"2023-09-0{n}T00:00:00Z") for n in (1, 2)]
        late = event("lead.named", SCHOOL, {"teacher": "t3"}, id="late", time="2023-08-21T00:00:00Z")
        void = event("event.voided", SCHOOL, {"source": "urn:test", "id": "late"}, time="2023-11-01T00:00:00Z")
        self.check("2023-12-01T00:00:00Z", READY[:3], succeeded[1:], succeeded[:1], [late], [void])

    def test_a_moment_that_only_a_move_waits_for(self):
        steps = [event("knob.turned", SCHOOL, {"knob": "a", "n": 1}, time="2024-01-01T00:00:00Z"),
                 event("due.set", SCHOOL, {"on": "2024-01-10"}, time="2024-01-02T00:00:00Z")]
        self.check("2024-01-05T00:00:00Z", steps, ("stop", "2024-01-12T00:00:00Z"), ("kill", "2024-01-20T00:00:00Z"),
                   rules=BRITTLE)

    def test_an_event_that_a_reducer_fails_on_is_not_taken_in_by_half(self):
        with Daemon(now="2024-02-01T00:00:00Z", rules=BRITTLE) as d:
            for day, n in enumerate([1, 13, 2], 1):
                told = d.send([event("knob.turned", SCHOOL, {"knob": "a", "n": n}, time=f"2024-01-0{day}T00:00:00Z")])
                self.assertEqual(told["accepted"], 1)
                values = d.export("?names=plain,this_year")
                self.assertEqual((values[SCHOOL, "plain"], values[SCHOOL, "this_year"]),
                                 [("1", "1"), ("1", "1"), ("2", "2")][day - 1])

    def test_an_event_that_lies_ahead_takes_effect_when_its_time_comes(self):
        """With a clock that runs, and the record in memory."""
        with Daemon(now=None) as d:
            for number, seconds in enumerate((3, 10, 30, 90)):  # longer where the machine has not been quick enough
                if self.is_seen_ahead_and_come(d, f"school/{100001 + number}", seconds):
                    return
            self.fail("it was never asked before its time had come")

    def is_seen_ahead_and_come(self, d, school, seconds):
        """False: its time had come before it was asked about."""
        d.send([registered(school[-6:])])
        ahead = moment(seconds)
        d.send([event("commitment.given", school, time=ahead)])
        wake = d.request("GET", f"/v1/schools/{school[-6:]}").json()["wake"]
        before = d.export("?names=committed")[school, "committed"]
        if moment(0) >= ahead:
            return False
        self.assertEqual((wake, before), (ahead, "false"))
        await_true(lambda: d.export("?names=committed")[school, "committed"] == "true", d.log)
        cause, = (e["data"]["cause"] for e in d.request("GET", "/v1/changes?limit=10000").json()["items"]
                  if (e["subject"], e["data"]["decision"]) == (school, "committed"))
        self.assertEqual(cause["moment"], ahead)
        return True


if __name__ == "__main__":
    unittest.main()
