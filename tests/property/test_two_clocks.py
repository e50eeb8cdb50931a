"""The answer at (at, known) is what `judge` makes of the log cut at `known`, by the rules in force then.

A world's events arrive in pieces, in any order, each piece recorded at another moment; between two pieces the
rules change. Whatever is asked afterwards is compared with judging, from nothing, the events that had been
recorded by then: exports, lists and single subjects, also after more has arrived, and asked twice.

PATHWAY_CLOCKS: how many worlds (3). PATHWAY_SEED: the first (1).
"""

import csv
import io
import json
import random
import shutil
import tempfile
import unittest
from pathlib import Path

from daemon import Daemon, event
from support import RULES, await_wakes, difference, judge, number_from
from worlds import World

WORLDS = number_from("PATHWAY_CLOCKS", 3)
SEED = number_from("PATHWAY_SEED", 1)
RECORDED = ["2024-10-01T08:00:00Z", "2025-01-20T12:00:00Z", "2025-09-01T12:00:00Z", "2026-11-21T09:00:00Z"]
BETWEEN = ["2024-09-30T00:00:00Z", "2024-10-01T08:00:00Z", "2024-12-24T00:00:00Z", "2025-01-20T11:59:59.999999Z",
           "2025-01-20T12:00:00Z", "2025-06-01", "2025-09-01T12:00:00.000001Z", "2026-11-21T09:00:00Z"]


def other_rules(folder):
    """The rules, with one lead enough, and an area at most: what they decide differs."""
    shutil.copytree(RULES, folder, dirs_exist_ok=True)
    found = 0
    for path in Path(folder).rglob("*.lua"):
        text = path.read_text()
        if "leads_needed = 2" in text:
            path.write_text(text.replace("leads_needed = 2", "leads_needed = 1"))
            found += 1
    assert found == 1
    return folder


class Clocks:
    """A database that was filled in pieces, and what is known of it."""

    def __init__(self, test, seed):
        self.dice = random.Random(seed)
        self.events = World(seed).draw(self.dice.choice([40, 70]))
        self.dice.shuffle(self.events)
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        test.addCleanup(folder.cleanup)
        self.rules = [str(RULES), other_rules(folder.name)]
        self.changed_at = self.dice.randint(1, len(RECORDED))  # from this piece on the other rules judge
        self.d = Daemon(now=RECORDED[0])
        test.addCleanup(self.d.close)
        self.pieces = []
        cuts = sorted(self.dice.sample(range(1, len(self.events)), len(RECORDED) - 1))
        for i, (first, last) in enumerate(zip([0] + cuts, cuts + [len(self.events)])):
            self.pieces.append(self.events[first:last])
            self.start(i)
            told = self.d.send(self.pieces[-1])
            assert told["accepted"] == last - first, told

    def rules_of(self, piece):
        return self.rules[piece >= self.changed_at]

    def start(self, piece):
        if self.d.process:
            assert self.d.stop() == 0, self.d.log()
        self.d.now = RECORDED[piece]
        text = self.d.config.read_text()
        self.d.config.write_text("\n".join(f"rules = {self.rules_of(piece)}" if line.startswith("rules") else line
                                           for line in text.splitlines()) + "\n")
        self.d.start()
        await_wakes(self.d)

    def expected(self, at, known, current=False):
        """What judging from nothing gives."""
        pieces = sum(instant(recorded) <= instant(known) for recorded in RECORDED)
        events = [e for piece in self.pieces[:pieces] for e in piece]
        rules = self.rules_of(len(RECORDED) - 1 if current or pieces == 0 else pieces - 1)
        return judge(events, at, rules=rules)


def instant(text):
    """Comparable, of the few forms that are used here."""
    whole = text if "T" in text else text + "T00:00:00Z"
    return whole[:19] + (whole[19:-1] or ".").ljust(7, "0")


def values(csv_text):
    """{subject: {decision: value}} of an export."""
    out = {}
    for row in list(csv.reader(io.StringIO(csv_text)))[1:]:
        out.setdefault(row[0], {})[row[1]] = row[2]
    return out


def plain(value):
    """As an export writes it."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


class TwoClocks(unittest.TestCase):
    def check(self, clocks, at, known):
        d = clocks.d
        query = f"at={at}&known={known}"
        for current in (False, True):
            more = "&rules=current" if current else ""
            expected = clocks.expected(at, known, current)
            found = d.request("GET", f"/v1/export/decisions?{query}{more}").text()
            self.assertIsNone(difference(found, expected), query + more)
        expected = values(clocks.expected(at, known))
        answer = d.request("GET", f"/v1/schools?{query}&limit=1000")
        listed = {item["subject"]: {name: plain(value) for name, value in item["decisions"].items()}
                  for item in answer.json()["items"]}
        self.assertEqual(listed, {s: v for s, v in expected.items() if s.startswith("school/")}, query)
        for subject in sorted(expected)[:3]:
            route = f"/v1/{subject.replace('/', 's/', 1)}?{query}"
            shown = d.request("GET", route)
            self.assertEqual({name: plain(found["value"]) for name, found in shown.json()["decisions"].items()},
                             expected[subject], route)
            self.assertEqual(shown.body, d.request("GET", route).body)

    def check_restated(self, clocks, at, known):
        """What is told to have changed between two known dates is what judging from nothing at each of them gives."""
        then = RECORDED[-1]
        for current in (False, True):
            more = "&rules=current" if current else ""
            answer = clocks.d.request("GET", f"/v1/restated?from={known}&at={at}&format=csv{more}")
            self.assertEqual(answer.status, 200, answer.text())
            found = {tuple(row[:2]): tuple(row[2:4]) for row in list(csv.reader(io.StringIO(answer.text())))[1:]}
            before, after = (values(clocks.expected(at, k, current)) for k in (known, then))
            expected = {(s, d): (before[s][d], after[s][d]) for s in before for d in before[s]
                        if before[s][d] != after[s][d]}
            self.assertEqual({place: change for place, change in found.items() if place[0] in before}, expected,
                             (at, known, more))
            for row in list(csv.reader(io.StringIO(answer.text())))[1:]:
                self.assertTrue(row[4], row)  # each has a cause
                self.assertFalse(current and "generation" in row[4], row)

    def test_any_world(self):
        for seed in range(SEED, SEED + WORLDS):
            with self.subTest(seed=seed):
                clocks = Clocks(self, seed)
                print(f"seed {seed}: {len(clocks.events)} events, rules change with piece {clocks.changed_at}")
                moments = [e["time"] for e in clocks.events]
                for known in clocks.dice.sample(BETWEEN, 4):
                    at = clocks.dice.choice([known, clocks.dice.choice(moments), "2025-09-01", "2026-12-24"])
                    self.check(clocks, at, known)
                    self.check_restated(clocks, at, known)


class Cases(unittest.TestCase):
    """What other stores of events got wrong."""

    def filled(self, *pieces):
        d = Daemon(now=RECORDED[0])
        self.addCleanup(d.close)
        for now, events in zip(RECORDED, pieces):
            if d.process:
                d.stop()
            d.now = now
            d.start()
            d.send(events)
        return d

    def value(self, d, query, decision="committed"):
        answer = d.request("GET", f"/v1/schools/100001?{query}")
        self.assertEqual(answer.status, 200, answer.text())
        return answer.json()["decisions"][decision]["value"]

    SCHOOL = "school/100001"

    def test_events_of_one_instant_follow_their_order_not_their_arrival(self):
        """An answer at the very instant holds all of it; one microsecond before, none."""
        time = "2024-09-10T10:00:00Z"
        given = event("commitment.given", self.SCHOOL, {}, id="b", time=time)
        withdrawn = event("commitment.withdrawn", self.SCHOOL, {}, id="a", time=time)
        base = event("school.registered", self.SCHOOL, {"name": "A", "hub": "07", "education_phase": "primary",
                                                        "status": "open"}, time="2024-09-01T00:00:00Z")
        d = self.filled([base, given], [withdrawn])
        self.assertTrue(self.value(d, f"at={time}"))  # "a" stands before "b", whenever it came
        self.assertTrue(self.value(d, f"at={time}&known={RECORDED[0]}"))
        self.assertFalse(self.value(d, "at=2024-09-10T09:59:59.999999Z"))

    def test_a_filter_looks_at_its_own_clock(self):
        """Happened early, recorded late: `at` sees it, `known` does not. Recorded early, happens later: the other."""
        early = event("commitment.given", self.SCHOOL, {}, id="late", time="2024-09-05T10:00:00Z")
        ahead = event("commitment.withdrawn", self.SCHOOL, {}, id="ahead", time="2025-06-01T10:00:00Z")
        base = event("lead.named", self.SCHOOL, {"teacher": "t1"}, time="2024-09-01T00:00:00Z")
        d = self.filled([base, ahead], [early])
        self.assertFalse(self.value(d, f"at=2024-09-06&known={RECORDED[0]}"))
        self.assertTrue(self.value(d, f"at=2024-09-06&known={RECORDED[1]}"))
        self.assertTrue(self.value(d, "at=2024-09-06"))
        self.assertTrue(self.value(d, f"at=2025-05-31&known={RECORDED[1]}"))
        self.assertFalse(self.value(d, f"at=2025-06-02&known={RECORDED[1]}"))  # known, and by then it has happened

    def test_a_void_of_a_void_acts_on_both_clocks(self):
        """Each void acts on every moment, from when it was recorded on."""
        given = event("commitment.given", self.SCHOOL, {}, id="g", time="2024-09-05T10:00:00Z")
        def void(id, of, time):
            return event("event.voided", self.SCHOOL, {"source": "urn:test", "id": of}, id=id, time=time)
        d = self.filled([given], [void("v", "g", "2024-12-01T00:00:00Z")], [void("w", "v", "2025-01-01T00:00:00Z")])
        for at in ("2024-09-06", "2024-12-25", "2025-08-01"):
            for known, expected in zip(RECORDED, (True, False, True)):
                self.assertEqual(self.value(d, f"at={at}&known={known}"), expected, (at, known))

    def test_a_date_before_everything_is_told(self):
        d = self.filled([event("commitment.given", self.SCHOOL, {}, time="2024-09-05T10:00:00Z")])
        for query, words in (("at=2020-01-01", "2024-09-05"), ("known=2020-01-01", "nothing was recorded")):
            answer = d.request("GET", f"/v1/schools/100001?{query}")
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/problem+json"))
            self.assertIn(words, answer.json()["detail"])
        self.assertEqual(d.request("GET", "/v1/schools?known=2020-01-01").json()["items"], [])
        answer = d.request("GET", "/v1/schools/100001?known=2020-01-01&rules=curent")
        self.assertEqual(answer.status, 400)
        self.assertIn("current", answer.json()["detail"])


if __name__ == "__main__":
    unittest.main()
