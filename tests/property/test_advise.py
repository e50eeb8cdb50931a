"""Advice is true and minimal: every advised set makes the decision true when it says, and no part of it does by then.

PATHWAY_WORLDS: how many worlds (3). PATHWAY_SEED: the first of them (1).
"""

import csv
import io
import itertools
import json
import random
import unittest

from daemon import Daemon
from support import judge, number_from, tool
from worlds import World

WORLDS = number_from("PATHWAY_WORLDS", 3)
SEED = number_from("PATHWAY_SEED", 1)
DECISIONS = ["is_open", "committed", "two_leads", "ready", "eligible_preparatory", "eligible_development",
             "eligible_building", "eligible_refinement", "development_complete", "out_of_order"]
CHECKED = 5  # sets of a world whose parts are all judged


class Advice(unittest.TestCase):
    def value(self, events, subject, decision, at):
        for row in csv.reader(io.StringIO(judge(events, at))):
            if row[:2] == [subject, decision]:
                return row[2]
        return None

    def ask(self, daemon, subject, decision, at):
        done = tool("advise", subject, decision, "--at", at, "--json", "--url", f"unix:{daemon.socket}")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        again = tool("advise", subject, decision, "--at", at, "--json", "--url", f"unix:{daemon.socket}")
        self.assertEqual(again.stdout, done.stdout)
        answer = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if answer["sets"] or answer["by_itself"] else 1)
        return answer

    def check_set(self, events, answer, advised):
        subject, decision, when = answer["subject"], answer["decision"], advised["true_at"]
        new = [item["event"] for item in advised["events"]]
        self.assertEqual(self.value(events + new, subject, decision, when), "true", new)
        for size in range(len(new)):
            for part in itertools.combinations(new, size):
                self.assertEqual(self.value(events + list(part), subject, decision, when), "false", (new, part))

    def check(self, seed):
        world = World(seed)
        events = world.draw(120)
        at = f"{max(world.years)}-{world.dice.choice(['10-10', '12-05'])}T12:00:00Z"
        count = found = 0
        with Daemon(now=at) as d:
            d.send(events)
            for school, decision in random.Random(seed).sample(list(itertools.product(world.schools, DECISIONS)), 8):
                if self.value(events, school, decision, at) is None:
                    continue
                answer = self.ask(d, school, decision, at)
                self.assertEqual(self.value(events, school, decision, at), "true" if answer["value"] else "false")
                if answer["by_itself"]:
                    self.assertEqual(self.value(events, school, decision, answer["by_itself"]), "true")
                found += len(answer["sets"])
                for advised in world.dice.sample(answer["sets"], min(2, len(answer["sets"]))):
                    if count < CHECKED:
                        self.check_set(events, answer, advised)
                        count += 1
        print(f"PATHWAY_SEED={seed}: {count} of {found} sets checked")

    def test_every_advised_set_works_and_no_part_of_it_does(self):
        for seed in range(SEED, SEED + WORLDS):
            with self.subTest(PATHWAY_SEED=seed):
                self.check(seed)


if __name__ == "__main__":
    unittest.main()
