"""A slow machine says what a quick one does: where runs of rules are stopped as suspect and repeated, all answers are the
same bytes.

PATHWAY_SLOW: how many worlds (1). PATHWAY_SEED: the first of them (1). PATHWAY_SUSPECT: one in how many
runs is stopped (40).
"""

import os
import re
import unittest
from pathlib import Path
from unittest import mock

from daemon import Daemon, binary
from support import await_wakes, number_from, tool
from worlds import World

WORLDS = number_from("PATHWAY_SLOW", 1)
SEED = number_from("PATHWAY_SEED", 1)
SUSPECT = number_from("PATHWAY_SUSPECT", 40)


class Slow(unittest.TestCase):
    def answers(self, world, events, now, environment):
        """All that a daemon says of these events, by route."""
        found = {}
        with Daemon(now=now, environment=environment) as d:
            for at in range(0, len(events), 20):
                d.send(events[at:at + 20])
            await_wakes(d)
            pages = ["/v1/schools?limit=1000", "/v1/groups?limit=1000", "/v1/summary", "/v1/export/decisions",
                     "/v1/export/decisions?at=2025-03-01", "/v1/changes?limit=10000", "/v1/quarantine",
                     f"/v1/forecast?until={max(world.years) + 2}-10-01"]
            commands = [["whatif", "--set", "meetings_needed=6"]]
            for row in d.request("GET", "/v1/schools?limit=1000").json()["items"][:3]:
                subject = row["subject"]
                commands += [["show", subject], ["history", subject]]
                commands += [["explain", subject, decision]
                             for decision in ("eligible_development", "pathway_phase", "development_complete")]
            commands.append(["advise", subject, "committed"])
            for page in pages:
                answer = d.request("GET", page)
                self.assertIn(answer.status, (200, 404), (page, answer.text()))
                found[page] = re.sub("[0-9a-f]{16}/", "DATABASE/", answer.text())
            for command in commands:
                done = tool(*command, "--json", PATHWAY_URL=f"unix:{d.socket}")
                self.assertIn(done.returncode, (0, 1), done.stderr)
                found[" ".join(map(str, command))] = done.stdout
            self.assertEqual(d.stop(), 0)
        return found

    def check(self, seed):
        world = World(seed)
        events = world.draw(100)
        now = f"{max(world.years)}-11-15T09:00:00Z"
        quick = self.answers(world, events, now, {})
        slow = self.answers(world, events, now, {"PATHWAYD_SUSPECT": str(SUSPECT)})
        for page, text in quick.items():
            with self.subTest(PATHWAY_SEED=seed, page=page):
                self.assertEqual(slow[page], text)

    def test_it_says_what_a_quick_one_does(self):
        crashing = os.environ.get("PATHWAYD_CRASHING", str(Path(binary("pathwayd")).parent / "pathwayd-crash"))
        with mock.patch.dict(os.environ, PATHWAYD=crashing):
            for seed in range(SEED, SEED + WORLDS):
                self.check(seed)


if __name__ == "__main__":
    unittest.main()
