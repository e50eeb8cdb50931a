"""Hubs do not touch each other: two overlays that contradict each other give what each would give alone.

The same events are judged by the national pack with both overlays of tests/data/contradicting, with each of them, and
with none. Then schools move between hubs, and the daemon, which follows each event, is held against the one that folds
and judges everything anew, and its database against a replay.

PATHWAY_WORLDS: how many worlds (3). PATHWAY_EVENTS: how many events go one by one (100). PATHWAY_SEED: the first world (1).
"""

import csv
import shutil
import tempfile
import unittest
from pathlib import Path

from daemon import ROOT, Daemon
from proof import complaint
from support import await_wakes, judge, number_from
from test_scratch import first_difference, steps_of
from worlds import World

WORLDS = number_from("PATHWAY_WORLDS", 3)
EVENTS = number_from("PATHWAY_EVENTS", 100)
SEED = number_from("PATHWAY_SEED", 1)
OVERLAYS = ROOT / "tests/data/contradicting"
MOMENTS = ["2022-12-01", "2023-11-22", "2024-01-25T12:00:00Z", "2024-09-01", "2026-11-21T09:00:00Z"]


def rules_with(folder, *hubs):
    """A rules folder with the overlays of these hubs."""
    rules = Path(folder) / ("rules" + "-".join(("",) + hubs))
    shutil.copytree(ROOT / "rules/national", rules / "national")
    for hub in hubs:
        shutil.copytree(OVERLAYS / hub, rules / "hubs" / hub)
    return rules


class HubWorld(World):
    """With events of the hubs' own; and, when `stays`, with schools that belong to one hub for good."""

    def __init__(self, seed, stays):
        super().__init__(seed)
        self.stays = stays

    def hub_of(self, school):
        return ["01", "02", "03"][int(school[-1]) % 3] if school.startswith("school/") else "01"

    def add(self, kind, subject, data=None, time=None):
        if self.stays and data and "hub" in data:
            data = data | {"hub": self.hub_of(subject)}
        made = super().add(kind, subject, data, time)
        if kind in ("commitment.given", "group.joined", "lead.named", "school.visited") and self.dice.random() < 0.6:
            self.add(self.dice.choice(["h01.note", "h02.note"]), subject,
                     {"n": self.dice.choice([0, 1, 2, 9])})
        return made

    def succeed(self, school):
        like = [s for s in self.schools if not self.stays or self.hub_of(s) == self.hub_of(school)]
        self.add("school.succeeded", school, {"predecessor": self.dice.choice(like)})


def by_subject(text):
    rows = {}
    for subject, decision, value in list(csv.reader(text.splitlines()))[1:]:
        rows.setdefault(subject, {})[decision] = value
    return rows


class Hubs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="pathway-")
        cls.none, cls.both, cls.one, cls.two = (rules_with(cls.folder.name, *hubs) for hubs in (
            (), ("01", "02"), ("01",), ("02",)))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def compare(self, world, seed, at):
        known = {"01": [e for e in world.made if e["type"] != "h02.note"],
                 "02": [e for e in world.made if e["type"] != "h01.note"],
                 "03": [e for e in world.made if not e["type"].startswith("h0")]}
        rules = {"01": self.one, "02": self.two, "03": self.none}
        found = by_subject(judge(world.made, at, self.both))
        for hub, folder in rules.items():
            for subject, expected in by_subject(judge(known[hub], at, folder)).items():
                if world.hub_of(subject) == hub:
                    self.assertEqual(expected, found[subject], f"PATHWAY_SEED={seed} {subject} at {at}")
        return sum(len(decisions) for decisions in found.values())

    def test_each_hub_is_judged_as_if_it_were_alone(self):
        seen = set()
        for seed in range(SEED, SEED + WORLDS):
            world = HubWorld(seed, stays=True)
            world.draw(80)
            for at in MOMENTS:
                self.compare(world, seed, at)
            for rules in (self.one, self.two, self.none):
                seen.add(judge([e for e in world.made if not e["type"].startswith("h0")], MOMENTS[-1], rules))
        self.assertGreater(len(seen), WORLDS * 2, "the overlays change too little to tell them apart")
        print(f"PATHWAY_SEED={SEED}: {WORLDS} worlds at {len(MOMENTS)} moments")

    def test_following_each_event_is_folding_anew_also_when_schools_move(self):
        done, seed = 0, SEED
        while done < EVENTS:
            events = HubWorld(seed, stays=False).draw(60)
            why, count = first_difference(*steps_of(seed, events), EVENTS - done, rules=self.both)
            self.assertIsNone(why, f"PATHWAY_SEED={seed}\n{why}")
            done += count
            seed += 1
        print(f"PATHWAY_SEED={SEED}: {done} events of {seed - SEED} worlds, compared after each")

    def test_a_database_with_overlays_is_what_its_log_makes_of_it(self):
        events = HubWorld(SEED, stays=False).draw(150)
        with Daemon(rules=self.both) as d:
            for start in range(0, len(events), 10):
                d.send(events[start:start + 10])
            await_wakes(d)
            self.assertEqual(by_subject(judge(events, d.now, self.both)),
                             by_subject(d.request("GET", "/v1/export/decisions").text()))
            self.assertEqual(d.stop(), 0, d.log())
            self.assertIsNone(complaint(d.database, "replay"))


if __name__ == "__main__":
    unittest.main()
