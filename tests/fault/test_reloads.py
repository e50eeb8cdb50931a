"""Hundreds of reloads while events come: none is lost, no decision is wrong, no memory leaks, and replay finds what
was decided by each generation.

The rules are those in tests/data/brittle, whose reducers, moves and rules fail for some values, in versions that
differ in a parameter, in a rule more, in a type of event that they no longer have, and in one that does not load. With
each reload some events come, so that all of it does not grow with the speed of the machine.

PATHWAY_RELOADS: how many (200). PATHWAY_EACH: events that come with each of them (6). PATHWAY_SEED: chooses them (1).
PATHWAY_RSS_GROWTH_MIB: how much the daemon may grow from the 20th reload on (48).
"""

import json
import random
import shutil
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from daemon import ROOT, Daemon
from proof import fault, key, logged_keys, rows
from support import BRITTLE, difference, export, judge, number_from, tool

sys.path.append(str(ROOT / "tests/property"))
from worlds import BrittleWorld  # noqa: E402

RELOADS = number_from("PATHWAY_RELOADS", 200)
EACH = number_from("PATHWAY_EACH", 6)
SEED = number_from("PATHWAY_SEED", 1)
GROWTH_KIB = number_from("PATHWAY_RSS_GROWTH_MIB", 48) * 1024
NOW = "2026-11-21T09:00:00Z"


def versions(text):
    """The pack in versions; the last one does not load."""
    # The feed tells nothing of what a new subject has in common with an empty record: here nothing, as without the rule.
    another = text.replace("  rules = {\n", "  rules = {\n    more = rule { \"More\", source = TEST,"
                           " function(s) if #s.names > 0 then return #s.names end end },\n", 1)
    made = [text, text.replace("wait = 30", "wait = 45"), another, another.replace("wait = 30", "wait = 60"),
            without_names(text), text.replace("wait = 30", "wait = = 30")]
    assert len(set(made)) == len(made), "a version is the same as another"
    return made


def without_names(text):
    """No more event name.removed: those that are logged count for nothing."""
    lines = [line for line in text.splitlines(True) if '["name.removed"]' not in line]
    return "".join(lines)


class Sender(threading.Thread):
    """Sends events, a few at a time, as many as it is let; the last ones when it is to end."""

    def __init__(self, daemon, events):
        super().__init__()
        self.daemon_asked = daemon
        self.events = events
        self.acknowledged = []
        self.fault = None
        self.let = threading.Semaphore(0)

    def send_more(self, count):
        self.let.release(count)

    def take(self, most):
        """Wait until one may be sent; as many as may, by now."""
        count = int(self.let.acquire())
        while count < most and self.let.acquire(blocking=False):
            count += 1
        return count

    def run(self):
        dice = random.Random(SEED)
        at = 0
        try:
            while at < len(self.events):
                some = self.events[at:at + self.take(dice.choice([1, 3, 20]))]
                answer = self.daemon_asked.send(some, "?results=all")
                for result in answer["results"]:  # a type may be gone while these rules are in force
                    if result["status"] == "accepted":
                        self.acknowledged.append(some[result["index"]])
                at += len(some)
        except Exception as why:  # told by the test, not by this thread
            self.fault = why


class Reloads(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        self.rules = Path(folder.name) / "rules"
        shutil.copytree(BRITTLE, self.rules)
        self.pack = self.rules / "national/pack.lua"
        self.versions = versions(self.pack.read_text())
        self.d = Daemon(now=NOW, rules=self.rules)
        self.addCleanup(self.d.close)
        self.d.start()

    def kib(self, field):
        status = Path(f"/proc/{self.d.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])

    def reload(self):
        """Change the rules and have them read. True: they are in force."""
        chosen = self.dice.randrange(len(self.versions))
        self.pack.write_text(self.versions[chosen])
        answer = self.d.request("POST", "/v1/reload", "{}", {"Content-Type": "application/json"})
        is_good = chosen < len(self.versions) - 1
        # What does not load stays refused; nothing else is wrong with it.
        told = answer.json()
        if is_good:
            self.assertEqual(answer.status, 200, told)
            self.assertEqual(told["refused"], [])
        else:
            self.assertIn(answer.status, (200, 409), told)
            self.assertIn("unexpected symbol", json.dumps(told))
        return is_good

    def test_hundreds_under_load(self):
        self.dice = random.Random(SEED)
        world = BrittleWorld(SEED)
        world.schools = [f"school/{100001 + i}" for i in range(40)]
        sender = Sender(self.d, world.draw(RELOADS * EACH))
        early = None
        sender.start()
        try:
            for number in range(1, RELOADS + 1):
                sender.send_more(EACH)
                self.reload()
                if number == 20:
                    early = self.kib("VmRSS")
        finally:
            sender.send_more(RELOADS * EACH)
            sender.join()
        self.assertIsNone(sender.fault, f"PATHWAY_SEED={SEED}")
        # Rules that have every type: the judge that it is held against refuses what it does not know.
        self.pack.write_text(self.versions[0])
        self.d.request("POST", "/v1/reload", "{}", {"Content-Type": "application/json"})
        late = self.kib("VmRSS")
        generations, = rows(self.d.database, "SELECT count(*) FROM generation")[0]
        print(f"PATHWAY_SEED={SEED}: {RELOADS} reloads, {generations} generations, {len(sender.acknowledged)} events,"
              f" {early} then {late} KiB")
        if early:
            self.assertLess(late - early, GROWTH_KIB)
        self.assertIsNone(difference(export(self.d, format="ndjson"),
                                     judge(sender.acknowledged, NOW, self.rules, "ndjson")))
        self.assertEqual(self.d.stop(), 0, self.d.log()[-3000:])
        self.assertEqual(set(logged_keys(self.d.database)), {key(e) for e in sender.acknowledged})
        self.assertIsNone(fault(self.d.database))
        self.assertEqual(tool("status", "--database", self.d.database, "--rules", self.rules).returncode, 0)


if __name__ == "__main__":
    unittest.main()
