"""The feed: gapless, each entry joined to the one before, enough to rebuild the current decisions from."""

import json
import unittest

from daemon import Daemon, event, registered
from support import await_wakes, judge, number_from, sample_events, shuffled

SEED = number_from("PATHWAY_SEED", 1)


def entries(daemon, after=0):
    """All entries after a number, page by page."""
    found = []
    while True:
        page = daemon.request("GET", f"/v1/changes?after={after}&limit=500").json()
        if not page["items"]:
            return found
        found += page["items"]
        after = page["next"]


def current(daemon):
    """Decisions as {(subject, decision): value}, with the types of JSON."""
    text = daemon.request("GET", "/v1/export/decisions?format=ndjson").text()
    return {(row["subject"], row["decision"]): row["value"] for row in map(json.loads, text.splitlines())}


def empty_records(now):
    """What the rules say of a subject of which nothing is known: its only event voids nothing."""
    events = [event("event.voided", subject, {"source": "none", "id": "none"}, id=subject,
                    time="2010-01-01T00:00:00Z")
              for subject in ("school/1", "group/1", "hub/1")]
    with Daemon(now=now) as d:
        d.send(events)
        return {(subject.split("/")[0], decision): value for (subject, decision), value in current(d).items()}


class FeedTest(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(now="2024-10-01T00:00:00Z")
        self.addCleanup(self.d.close)
        self.d.start()

    def restart(self, now=None, kill=False):
        (self.d.kill if kill else self.d.stop)()
        self.d.now = now or self.d.now
        self.d.start()
        await_wakes(self.d)

    def changes(self, after=0):
        return [e["data"] | {"subject": e["subject"]} for e in entries(self.d, after)]


class Replay(FeedTest):
    def assert_joined(self, feed):
        """Each entry's old is the last new of its decision. What they come to."""
        state = {}
        empty = empty_records("2015-01-01T00:00:00Z")
        for entry in feed:
            key = (entry["subject"], entry["decision"])
            kind = (entry["subject"].split("/")[0], entry["decision"])
            self.assertEqual(entry["old"], state.get(key, empty[kind]), entry)
            self.assertNotEqual(entry["old"], entry["new"], entry)
            state[key] = entry["new"]
        return state

    def test_the_feed_from_empty_records_gives_the_current_decisions(self):
        """In batches, shuffled, with a clock that goes on, stops and kills."""
        events = shuffled(sample_events(), SEED)
        self.d.stop()
        clocks = ["2016-10-01T00:00:00Z", "2018-11-30T00:00:00Z", "2021-02-01T00:00:00Z", "2024-09-01T00:00:00Z",
                  "2026-11-21T09:00:00Z"]
        feed = []
        for number, now in enumerate(clocks):
            before = len(feed)
            self.d.now = now
            self.d.start()
            await_wakes(self.d)
            feed += self.changes(before)
            self.check_moments(feed[before:], number and clocks[number - 1], now)
            for first in range(number * 700, (number + 1) * 700, 100):
                batch = events[first:first + 100]
                self.d.send(batch)
                await_wakes(self.d)  # what was left for later has these causes too
                self.check_causes(feed, batch, now)
            (self.d.kill if number % 2 else self.d.stop)()
        self.d.start()
        self.assertEqual(self.changes(), feed)
        self.assertEqual([e["seq"] for e in feed], list(range(1, len(feed) + 1)))
        state, empty = self.assert_joined(feed), empty_records(clocks[-1])
        for (subject, decision), value in current(self.d).items():
            found = state.get((subject, decision), empty[subject.split("/")[0], decision])
            self.assertEqual(found, value, f"PATHWAY_SEED={SEED} {subject} {decision}")

    def check_moments(self, fresh, earlier, now):
        for entry in fresh:
            self.assertEqual(entry["cause"]["events"], [])
            self.assertGreater(entry["cause"]["moment"], earlier)
            self.assertLessEqual(entry["cause"]["moment"][:19] + "Z", now)

    def check_causes(self, feed, batch, now):
        keys = {(e["source"], e["id"]) for e in batch}
        fresh = self.changes(len(feed))
        for entry in fresh:
            cause = entry["cause"]
            named = {(e["source"], e["id"]) for e in cause["events"]}
            self.assertTrue(named and named <= keys, entry)
            self.assertIsNone(cause["generation"])
        feed += fresh


class Entries(FeedTest):
    def test_a_first_load_is_quiet(self):
        self.d.send([registered(100001)])
        changed = {e["decision"]: (e["old"], e["new"]) for e in self.changes() if e["decision"] != "next_step"}
        self.assertEqual(changed, {"is_open": (False, True), "is_primary": (False, True)})
        self.d.send([event("group.met", "group/g1", {"kind": "development", "academic_year": "2023/24",
                                                     "half_term": 1, "attendance": {"school/100002": []}},
                           time="2024-09-10T00:00:00Z")])
        self.assertEqual([e for e in self.changes(len(changed) + 1) if e["subject"] == "school/100002"], [])
        self.assertIn(("school/100002", "is_open"), current(self.d))

    def test_an_entry_has_the_agreed_form(self):
        self.d.send([registered(100001, id="r1")])
        entry = next(e for e in entries(self.d) if e["data"]["decision"] == "is_open")
        status = self.d.request("GET", "/v1/status").json()
        seq = entry["data"]["seq"]
        self.assertEqual(entry, {
            "specversion": "1.0", "id": f"{status['database']}/{seq}", "source": "/pathwayd",
            "type": "pathway.decision.changed", "subject": "school/100001", "time": "2024-10-01T00:00:00.000000Z",
            "data": {"seq": seq, "decision": "is_open", "old": False, "new": True, "hub": "07", "generation": 1,
                     "cause": {"events": [{"source": "urn:test", "id": "r1"}], "moment": None,
                               "generation": None}}})

    def test_a_void_is_the_cause_of_what_it_undoes_and_redoing_has_its_own(self):
        named = event("commitment.given", "school/100001", id="c", time="2024-09-10T00:00:00Z")
        self.d.send([registered(100001), named])
        for number, target in enumerate(("c", "v0", "v1")):
            seen = len(self.changes())
            self.d.send([event("event.voided", "school/100001", {"source": "urn:test", "id": target},
                               id=f"v{number}", time=f"2024-09-1{number + 1}T00:00:00Z")])
            fresh = {e["decision"]: e for e in self.changes(seen)}
            self.assertEqual(fresh["committed"]["new"], number == 1)
            self.assertEqual(fresh["committed"]["cause"]["events"], [{"source": "urn:test", "id": f"v{number}"}])

    def test_what_changes_a_school_through_its_predecessors_is_its_cause_too(self):
        for urn, predecessor in ((100002, 100001), (100003, 100002)):
            self.d.send([event("school.succeeded", f"school/{urn}", {"predecessor": f"school/{predecessor}"},
                               time=f"2024-09-0{urn % 10}T00:00:00Z")])
        before = len(self.changes())
        batch = [event("lead.named", f"school/{urn}", {"teacher": f"t{urn % 10}"}, id=f"l{urn}",
                       time="2024-08-01T00:00:00Z") for urn in (100002, 100001)]
        self.d.send(batch)
        fresh = {e["subject"]: e for e in self.changes(before) if e["decision"] == "two_leads"}
        self.assertEqual(fresh["school/100003"]["new"], True)
        self.assertEqual({e["id"] for e in fresh["school/100003"]["cause"]["events"]}, {"l100001", "l100002"})

    def test_a_moment_is_the_cause_of_what_time_alone_changes(self):
        self.d.send([registered(100001), event("waiver.granted", "school/100001", {
            "rule": "committed", "reason": "given by word of mouth", "until": "2024-10-20"},
            time="2024-09-10T00:00:00Z")])
        seen = len(self.changes())
        self.restart("2024-11-01T00:00:00Z", kill=True)
        fresh = {e["decision"]: e for e in self.changes(seen)}
        self.assertEqual(fresh["committed"]["cause"],
                         {"events": [], "moment": "2024-10-20T23:00:00.000000Z", "generation": None})
        seen = len(self.changes())
        self.restart(kill=True)
        self.assertEqual(self.changes(seen), [])

    def test_a_duplicate_and_an_event_that_changes_nothing_are_silent(self):
        self.d.send([registered(100001)])
        seen = len(self.changes())
        self.d.send([registered(100001)])
        self.d.send([event("contact.made", "school/100001", {"group": "group/g", "academic_year": "2024/25"},
                           time="2024-08-01T00:00:00Z")])
        fresh = {(e["subject"], e["decision"]) for e in self.changes(seen)}
        self.assertEqual(fresh, {("school/100001", "last_contact")})

    def test_flipping_and_flipping_back_in_one_commit_is_no_change(self):
        self.d.send([registered(100001)])
        seen = len(self.changes())
        self.d.send([event("commitment.given", "school/100001", time="2024-09-10T00:00:00Z"),
                     event("commitment.withdrawn", "school/100001", time="2024-09-11T00:00:00Z")])
        self.assertEqual(self.changes(seen), [])


if __name__ == "__main__":
    unittest.main()
