"""Decisions that only one hub's overlay makes come and go with the hub: history, forecast and restatements tell so.

Schools move between hubs whose overlays contradict each other. What a history tells at an instant is the difference
of judging from nothing just before it and at it; what a forecast tells is the difference of now and then; what was
restated is the difference of two logs. A decision that the rules of a hub do not make is null there.

PATHWAY_WORLDS: how many worlds (2). PATHWAY_INSTANTS: how many instants of each (8). PATHWAY_SEED: the first (1).
"""

import csv
import io
import json
import random
import tempfile
import unittest

from daemon import Daemon, event
from support import await_wakes, judge, number_from
from test_hubs import HubWorld, rules_with

WORLDS = number_from("PATHWAY_WORLDS", 2)
INSTANTS = number_from("PATHWAY_INSTANTS", 8)
SEED = number_from("PATHWAY_SEED", 1)
NOW = "2026-11-21T09:00:00Z"
LATER = "2027-10-01T00:00:00Z"


def values(text):
    return {(row[0], row[1]): row[2] for row in list(csv.reader(io.StringIO(text)))[1:]}


def plain(value):
    if isinstance(value, dict):
        return "error"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def before(instant):
    """One microsecond earlier; all of these instants have six digits behind the second."""
    whole, digits = instant[:-8], int(instant[-7:-1])
    if digits:
        return f"{whole}.{digits - 1:06d}Z"
    seconds = int(whole[-2:])
    if seconds:
        return f"{whole[:-2]}{seconds - 1:02d}.999999Z"
    return None


class MovesBetweenHubs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.rules = rules_with(cls.folder.name, "01", "02")

    def differences(self, old, new, subject):
        """{decision: (before, after)} of one subject; what is not decided is as good as null."""
        names = {d for s, d in old.keys() | new.keys() if s == subject}
        found = {d: (old.get((subject, d), ""), new.get((subject, d), "")) for d in names}
        return {d: pair for d, pair in found.items() if pair[0] != pair[1]}

    def check_history(self, d, events, subject, dice):
        kind, code = subject.split("/")
        items = d.request("GET", f"/v1/{kind}s/{code}/history").json()["items"]
        for item in dice.sample(items[1:], min(INSTANTS, len(items) - 1)):
            moment = before(item["time"])
            if not moment:
                continue
            expected = self.differences(values(judge(events, moment, self.rules)),
                                        values(judge(events, item["time"], self.rules)), subject)
            found = {c["decision"]: (plain(c["old"]), plain(c["new"])) for c in item["changes"]}
            self.assertEqual(found, expected, (subject, item["time"]))
            self.come_and_gone += sum(name[:2] == "h0" and "" in pair for name, pair in found.items())

    def check_forecast(self, d, events, subject):
        text = d.request("GET", f"/v1/forecast?subject={subject}&until={LATER}&format=csv").text()
        found = {}
        for _, _, decision, old, new, _ in list(csv.reader(io.StringIO(text)))[1:]:
            found[decision] = (found.get(decision, (old,))[0], new)
        found = {decision: pair for decision, pair in found.items() if pair[0] != pair[1]}
        expected = self.differences(values(judge(events, NOW, self.rules)), values(judge(events, LATER, self.rules)), subject)
        self.assertEqual(found, expected, subject)

    def check(self, seed):
        dice = random.Random(seed)
        world = HubWorld(seed, stays=False)
        events = world.draw(60)
        schools = sorted({e["subject"] for e in events if e["subject"].startswith("school/")})
        for i, school in enumerate(schools):  # moves that lie ahead
            events.append(event("school.changed", school, {"hub": ["01", "02", "03"][i % 3]}, id=f"ahead-{i}",
                                time=f"2027-0{i % 6 + 1}-01T09:00:00Z"))
        with Daemon(now=NOW, rules=self.rules) as d:
            d.send(events)
            await_wakes(d)
            for subject in dice.sample(schools, min(3, len(schools))):
                self.check_history(d, events, subject, dice)
                self.check_forecast(d, events, subject)

    def test_any_world(self):
        self.come_and_gone = 0
        for seed in range(SEED, SEED + WORLDS):
            with self.subTest(seed=seed):
                self.check(seed)
        print(f"PATHWAY_SEED={SEED}: {self.come_and_gone} times a decision came or went")

    # ---- one school, told in full ----

    SCHOOL = "school/100001"
    STORY = [
        event("school.registered", SCHOOL, {"name": "Elm", "hub": "03", "education_phase": "primary", "status": "open"},
              id="reg", time="2023-09-01T09:00:00Z"),
        event("school.changed", SCHOOL, {"hub": "01"}, id="came", time="2024-03-01T09:00:00Z"),
        event("school.changed", SCHOOL, {"hub": "02"}, id="went", time="2024-06-01T09:00:00Z"),
        event("school.changed", SCHOOL, {"hub": "01"}, id="back", time="2027-01-10T09:00:00Z"),
    ]

    def counted(self, changes, name="h01_count"):
        return [(c["old"], c["new"]) for c in changes if c["decision"] == name]

    def test_a_decision_that_comes_and_goes(self):
        with Daemon(now=NOW, rules=self.rules) as d:
            d.send(self.STORY)
            items = {i["time"][:10]: i for i in d.request("GET", "/v1/schools/100001/history").json()["items"]}
            self.assertEqual(self.counted(items["2023-09-01"]["changes"]), [])
            self.assertEqual(self.counted(items["2024-03-01"]["changes"]), [(None, 0)])
            self.assertEqual(self.counted(items["2024-06-01"]["changes"]), [(0, None)])
            answer = d.request("GET", "/v1/schools/100001/decisions/h01_count")
            self.assertEqual(answer.status, 404)
            self.assertIn("only the rules of hub 01 decide h01_count; school/100001 belongs to hub 02",
                          answer.json()["detail"])
            told = d.request("GET", f"/v1/forecast?subject={self.SCHOOL}&until={LATER}").json()["changes"]
            self.assertEqual(self.counted(told), [(None, 0)])
            self.assertEqual([e["id"] for c in told if c["decision"] == "h01_count" for e in c["cause"]["events"]],
                             ["back"])

    def test_a_move_that_was_recorded_late_restates_what_only_that_hub_decides(self):
        with Daemon(now="2024-07-01T09:00:00Z", rules=self.rules) as d:
            d.send(self.STORY[:2])
            d.stop()
            d.now = NOW
            d.start()
            d.send([self.STORY[2]])
            for hub, expected in (("02", [(0, None)]), ("01", [])):
                answer = d.request("GET", f"/v1/restated?from=2024-07-02&at=2024-07-01&hub={hub}")
                if hub == "01":  # nothing belongs to it any more
                    self.assertEqual(answer.status, 404)
                    self.assertIn("nothing belongs to hub '01'", answer.json()["detail"])
                    continue
                items = answer.json()["items"]
                self.assertEqual(self.counted(items), expected)
                self.assertNotIn((None, None), [(i["old"], i["new"]) for i in items])
                self.assertEqual({e["id"] for i in items for e in i["cause"]["events"]}, {"went"})


if __name__ == "__main__":
    unittest.main()
