"""A forecast to T is what a daemon says whose clock moves to T, with no further events.

PATHWAY_WORLDS: how many worlds (4). PATHWAY_SEED: the first of them (1). PATHWAY_STEPS: how many of the
foreseen instants a daemon is started at (5).
"""

import csv
import io
import json
import random
import unittest

from daemon import Daemon
from support import await_wakes, number_from, tool
from worlds import World

WORLDS = number_from("PATHWAY_WORLDS", 4)
SEED = number_from("PATHWAY_SEED", 1)
STEPS = number_from("PATHWAY_STEPS", 5)


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


class Forecast(unittest.TestCase):
    def ask(self, daemon, *arguments):
        done = tool("forecast", *arguments, "--url", f"unix:{daemon.socket}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def state(self, daemon, query=""):
        text = daemon.request("GET", "/v1/export/decisions" + query).text()
        return {(subject, decision): value for subject, decision, value in rows_of(text)[1:]}

    def check_parts(self, daemon, rows, state, until):
        """Asked about a subject or a hub, it says what it says of all of them."""
        subjects = sorted({subject for subject, _ in state})
        for subject in random.Random(SEED).sample(subjects, min(3, len(subjects))):
            if not subject.startswith("hub/"):
                here = rows_of(self.ask(daemon, subject, "--until", until, "--format", "csv"))[1:]
                self.assertEqual(here, [row for row in rows if row[1] == subject])
        schools = daemon.request("GET", "/v1/schools?limit=100").json()["items"]
        hubs = {school["subject"]: school["hub"] for school in schools}
        for hub in sorted({hub for hub in hubs.values() if hub}):
            here = rows_of(self.ask(daemon, "--hub", hub, "--until", until, "--format", "csv"))[1:]
            here = [row for row in here if row[1].startswith("school/")]
            self.assertEqual(here, [row for row in rows if hubs.get(row[1]) == hub])

    def check(self, seed):
        world = World(seed)
        events = world.draw(150)
        start, until = f"{max(world.years)}-{world.dice.choice(['10', '12'])}-15T09:00:00Z", f"{max(world.years) + 2}-10-01T00:00:00Z"
        with Daemon(now=start) as d:
            d.send(events)
            await_wakes(d)
            state = self.state(d)
            text = self.ask(d, "--until", until, "--format", "csv")
            self.assertEqual(text, self.ask(d, "--until", until, "--format", "csv"))
            rows = rows_of(text)[1:]
            self.assertEqual([row[:3] for row in rows], sorted(row[:3] for row in rows))
            as_json = json.loads(self.ask(d, "--until", until, "--json"))["changes"]
            self.assertEqual([[c["time"], c["subject"], c["decision"]] for c in as_json], [row[:3] for row in rows])
            self.check_parts(d, rows, state, until)
            due = sorted({row[0] for row in rows})
            steps = sorted(set(world.dice.sample(due, min(STEPS, len(due)))) | {until})
            for step in steps:
                while rows and rows[0][0] <= step:
                    _, subject, decision, old, new, _ = rows.pop(0)
                    self.assertEqual(state.get((subject, decision), old), old)
                    state[subject, decision] = new
                self.assertEqual(d.stop(), 0)
                d.now = step
                d.start()
                await_wakes(d)
                found = self.state(d)
                # What begins after the forecast was asked for is told as it differs from an empty record.
                self.assertEqual({k: v for k, v in found.items() if k in state}, state, f"at {step}")
            print(f"PATHWAY_SEED={seed}: {len(due)} instants foreseen, {len(steps)} lived through")

    def test_what_is_foreseen_is_what_comes(self):
        for seed in range(SEED, SEED + WORLDS):
            with self.subTest(PATHWAY_SEED=seed):
                self.check(seed)


if __name__ == "__main__":
    unittest.main()
