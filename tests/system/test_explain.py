"""Why, since when, until when, and what happened: explain, history and events, by HTTP and by the tool."""

import json
import os
import pty
import subprocess
import threading
import unittest

from daemon import PATIENCE_S, Daemon, binary, event, registered
from support import ask_tool, await_wakes

SCHOOL = "school/100001"
EARLY, NOW = "2025-11-01T09:00:00Z", "2026-03-02T09:00:00Z"


def void(id, target, time):
    return event("event.voided", SCHOOL, {"source": "urn:test", "id": target, "reason": "a slip"}, id=id, time=time)


STORY = [  # recorded on 1 November
    registered(100001, name="Elm Primary", id="reg"),
    event("commitment.given", SCHOOL, {"by": "p.head"}, id="given", time="2025-09-02T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t1"}, id="t1", time="2025-09-10T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t2"}, id="t2", time="2025-09-11T10:00:00Z"),
    event("waiver.granted", SCHOOL, {"rule": "committed", "reason": "ill", "until": "2026-07-31", "by": "p.lead"},
          id="waived", time="2025-09-20T10:00:00Z"),
]
LATER = [  # recorded on 2 March: the commitment was a slip, a lead had stood down long ago
    void("undo", "given", "2025-12-01T10:00:00Z"),
    event("lead.stood_down", SCHOOL, {"teacher": "t2"}, id="down", time="2025-10-01T10:00:00Z"),
]


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(now=EARLY)
        cls.addClassCleanup(cls.d.close)
        cls.d.start()
        cls.d.send(STORY)
        cls.d.stop()
        cls.d.now = NOW
        cls.d.start()
        await_wakes(cls.d)
        cls.d.send(LATER)

    def explain(self, decision, query=""):
        answer = self.d.request("GET", f"/v1/schools/100001/decisions/{decision}{query}")
        self.assertEqual(answer.status, 200, answer.text())
        self.assertEqual(answer.body, self.d.request("GET", f"/v1/schools/100001/decisions/{decision}{query}").body)
        return answer.json()

    def rule(self, explanation, name):
        return next(r for r in explanation["rules"] if r["rule"] == name)

    def ask(self, *arguments):
        return ask_tool(self.d, *arguments)

    def test_what_is_missing_is_told_with_what_was_seen_and_needed(self):
        told = self.explain("eligible_development")
        self.assertIs(told["value"], False)
        self.assertEqual([m["rule"] for m in told["missing"]], ["two_leads"])
        self.assertEqual((told["missing"][0]["seen"], told["missing"][0]["needed"]),
                         (1, {"is": "at least", "value": 2, "parameter": "leads_needed"}))
        self.assertTrue(told["missing"][0]["advice"])
        leads = self.rule(told, "two_leads")["facts"]
        self.assertEqual((leads[0]["name"], leads[0]["value"]), ("leads", ["t1"]))
        ids = {e["seq"]: e["id"] for which in ("events", "read") for e in told[which]}
        self.assertEqual([ids[seq] for seq in leads[0]["events"]], ["t1", "down"])  # what t2 did is gone
        self.assertEqual(told["since"], "2025-10-01T10:00:00.000000Z")
        self.assertEqual(told["cause"]["events"], [{"source": "urn:test", "id": "down"}])
        self.assertEqual(told["generation"], 1)

    def test_no_criterion_is_left_out(self):
        """Also those that are met, and those behind the first that is not."""
        told = self.explain("eligible_development")
        self.assertEqual(self.rule(told, "eligible_development")["criteria"],
                         ["is_open", "is_primary", "committed", "two_leads", "ready", "before_development"])
        met = {r["rule"]: r.get("met") for r in told["rules"]}
        self.assertTrue(met["is_open"] and met["is_primary"] and met["ready"] and met["before_development"])

    def test_a_waiver_says_by_whom_and_until_when(self):
        told = self.explain("committed")
        self.assertIs(told["value"], True)
        self.assertEqual(self.rule(told, "committed")["waived"],
                         {"rule": "committed", "by": "p.lead", "last_day": "2026-07-31"})
        self.assertEqual(told["until"], "2026-07-31T23:00:00.000000Z")
        self.assertIn("waived", {e["id"] for e in told["events"]})
        ended = self.explain("committed", "?at=2026-08-01")
        self.assertIs(ended["value"], False)
        self.assertEqual((ended["since"], ended["cause"]["moment"]),
                         ("2026-07-31T23:00:00.000000Z", "2026-07-31T23:00:00.000000Z"))
        # The void took the commitment away: without it, this would be otherwise.
        self.assertIn("undo", {e["id"] for e in ended["events"]})

    def test_what_was_told_then_is_told_again(self):
        """As known in November the second lead had not stood down."""
        self.assertIs(self.explain("eligible_development", "?at=2025-11-01&known=2025-11-02")["value"], True)
        self.assertIs(self.explain("eligible_development", "?at=2025-11-01")["value"], False)

    def test_time_and_parameters_are_told(self):
        told = self.explain("two_leads")
        self.assertEqual(self.rule(told, "two_leads")["parameters"],
                         [{"name": "leads_needed", "value": 2, "from": None, "until": None}])
        joined = event("group.joined", SCHOOL, {"group": "group/g", "kind": "readiness", "academic_year": "2025/26"},
                       id="joined", time="2025-11-05T10:00:00Z")
        self.d.send([joined])
        told = self.explain("out_of_order")
        self.assertIn({"time": "2026-08-31T23:00:00.000000Z", "reached": False},
                      self.rule(told, "out_of_order")["moments"])

    def test_text_for_a_headteacher(self):
        done = self.ask("explain", "100001", "eligible_development")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("Elm Primary", "May join a Development Work Group: no", "What is missing",
                      "Two lead participant teachers are named: 1, needed at least 2",
                      "Name two lead participant teachers.", "[yes] The school is open",
                      "2025-10-01  A lead participant teacher stood down: teacher t2 (recorded 2026-03-02)",
                      "(waived by p.lead until the end of 2026-07-31)"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("ill", done.stdout)  # a note is for those who may read it

    def test_history_marks_what_is_late_and_what_is_voided(self):
        answer = self.d.request("GET", "/v1/schools/100001/history")
        self.assertEqual(answer.body, self.d.request("GET", "/v1/schools/100001/history").body)
        events = {e["id"]: e for item in answer.json()["items"] for e in item["events"]}
        self.assertEqual([id for id, e in events.items() if e["late"]], ["down"])
        self.assertEqual({id: e["voided"]["id"] for id, e in events.items() if "voided" in e}, {"given": "undo"})
        changes = [(item["time"], c["decision"], c["old"], c["new"]) for item in answer.json()["items"]
                   for c in item["changes"] if c["decision"] in ("two_leads", "committed")]
        self.assertEqual(changes, [("2025-09-11T10:00:00.000000Z", "two_leads", False, True),
                                   ("2025-09-20T10:00:00.000000Z", "committed", False, True),
                                   ("2025-10-01T10:00:00.000000Z", "two_leads", True, False)])
        known = self.d.request("GET", "/v1/schools/100001/history?known=2025-12-01").json()
        self.assertNotIn("undo", str(known))
        self.assertEqual({name: answer.json()[name] for name in ("name", "hub", "at", "known")},
                         {"name": "Elm Primary", "hub": "07", "at": None, "known": None})
        asked = self.ask("history", "100001", "--at", "2026-01-01", "--known", "2026-07-01").stdout
        self.assertTrue(asked.startswith("Elm Primary, school/100001, hub 07\nup to 2026-01-01, with what was known when "
                                         "2026-07-01 began\n\n2024-09-02  "), asked)
        done = self.ask("history", "100001")
        self.assertTrue(done.stdout.startswith("Elm Primary, school/100001, hub 07\n\n2024-09-02  "), done.stdout)
        self.assertIn("\n            Two lead participant teachers are named: yes -> no  (two_leads)\n", done.stdout)
        self.assertIn("teacher t2 (recorded 2026-03-02) [late]", done.stdout)
        self.assertIn("[voided on 2026-03-02T09:00:00Z]", done.stdout)

    def test_a_moment_that_is_asked_about_is_told(self):
        """Without one an answer changes with its subject alone, so that it is the same until something happens."""
        shown = self.d.request("GET", "/v1/schools/100001?at=2026-01-01&known=2026-01-02").json()
        self.assertEqual((shown["at"], shown["known"]), ("2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"))
        now = self.d.request("GET", "/v1/schools/100001").json()
        self.assertFalse({"at", "known"} & now.keys())
        told = self.ask("show", "100001", "--at", "2026-01-01", "--known", "2026-01-01T12:00:00Z").stdout
        self.assertTrue(told.startswith("Elm Primary\nschool/100001, hub 07, open\nas of 2026-01-01, with what was known at "
                                        "2026-01-01T12:00:00Z\nPhase: "), told)
        self.assertTrue(self.ask("show", "100001").stdout.startswith("Elm Primary\nschool/100001, hub 07, open\nPhase: "))
        self.assertIn("  asked about 2026-01-01, with what was known when 2026-01-02 began, by generation 1 of the rules\n",
                      self.ask("explain", "100001", "two_leads", "--at", "2026-01-01", "--known", "2026-01-02").stdout)

    def test_the_events_of_a_subject(self):
        items = self.d.request("GET", "/v1/schools/100001/events?at=2025-09-10").json()["items"]
        self.assertEqual([(e["id"], e["type"], e["late"]) for e in items],
                         [("reg", "school.registered", False), ("given", "commitment.given", False)])

    def test_events_come_in_pages_with_their_notes(self):
        whole = self.d.request("GET", "/v1/schools/100001/events").json()
        self.assertIsNone(whole["next"])
        self.assertEqual({e["id"]: e["data"].get("reason") for e in whole["items"] if "reason" in e["data"]},
                         {"waived": "ill", "undo": "a slip"})
        pages, after = [], ""
        while after is not None:
            page = self.d.request("GET", f"/v1/schools/100001/events?limit=2{after and f'&after={after}'}").json()
            self.assertLessEqual(len(page["items"]), 2)
            pages += page["items"]
            after = page["next"]
        self.assertEqual(pages, whole["items"])
        for query, words in (("limit=0", "limit"), ("after=999999", "next"), ("limit=1001", "1000")):
            answer = self.d.request("GET", "/v1/schools/100001/events?" + query)
            self.assertEqual(answer.status, 400, answer.text())
            self.assertIn(words, answer.json()["detail"])

    def test_what_is_being_answered_can_be_asked(self):
        answer = self.d.request("GET", "/v1/questions")
        self.assertEqual((answer.status, answer.json()), (200, {"items": []}))
        self.assertEqual(self.d.request("GET", "/v1/questions?at=2026-01-01").status, 400)

    def test_on_a_terminal_a_long_question_says_how_far_it_has_come(self):
        """Whether there is time for a bar to be seen or not: the answer is the same."""
        arguments = ("whatif", "leads_needed=1", "--format", "csv")
        plain = self.ask(*arguments)
        screen, tty = pty.openpty()
        threading.Thread(target=self.watch, args=(screen,), daemon=True).start()
        done = subprocess.run([binary("pathway"), *arguments, "--url", f"unix:{self.d.socket}"], stdout=subprocess.PIPE,
                              stderr=tty, text=True, timeout=PATIENCE_S)
        os.close(tty)
        self.assertEqual((done.returncode, done.stdout), (plain.returncode, plain.stdout))
        self.assertEqual(done.returncode, 1)
        forecast = ("forecast", "--until", "2027-01-01", "--format", "csv")
        self.assertEqual(self.d.request("GET", "/v1/forecast?until=2027-01-01&format=csv&tag=a").text(),
                         self.ask(*forecast).stdout)

    @staticmethod
    def watch(screen):
        """Take what is drawn, so that nobody has to wait for room; until nobody can draw any more."""
        try:
            while os.read(screen, 4096):
                pass
        except OSError:
            os.close(screen)

    def test_restated_answers_of_one_hub(self):
        route = "/v1/restated?from=2025-11-02&at=2025-11-01"
        whole = self.d.request("GET", route).json()["items"]
        hub = self.d.request("GET", "/v1/schools/100001").json()["facts"]["hub"]
        self.assertEqual(self.d.request("GET", f"{route}&hub={hub}").json()["items"], whole)
        done = self.ask("restated", "--from", "2025-11-02", "--at", "2025-11-01", "--hub", hub, "--json")
        self.assertEqual(json.loads(done.stdout)["items"], whole)
        other = self.d.request("GET", f"{route}&hub={hub}9")
        self.assertEqual(other.status, 404)
        self.assertIn(f'"{hub}"', other.json()["detail"])
        self.assertEqual(self.d.request("GET", f"{route}&hub={hub}&subject={SCHOOL}").status, 400)

    def test_what_was_restated_and_why(self):
        """The lead who had stood down made two_leads otherwise in November; the void did not: a waiver stood."""
        route = "/v1/restated?from=2025-11-02&at=2025-11-01"
        answer = self.d.request("GET", route)
        self.assertEqual(answer.body, self.d.request("GET", route).body)
        found = {i["decision"]: i for i in answer.json()["items"]}
        self.assertEqual((found["two_leads"]["old"], found["two_leads"]["new"]), (True, False))
        self.assertEqual([e["id"] for e in found["two_leads"]["cause"]["events"]], ["down"])
        self.assertNotIn("committed", found)
        before = self.d.request("GET", "/v1/restated?from=2025-11-02&at=2025-09-15").json()
        self.assertEqual([(i["decision"], [e["id"] for e in i["cause"]["events"]]) for i in before["items"]
                          if i["decision"] == "committed"], [("committed", ["undo"])])
        done = self.ask("restated", "100001", "--from", "2025-11-02", "--at", "2025-11-01")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("Two lead participant teachers are named: yes -> no  (two_leads)", done.stdout)
        self.assertIn("because of 2025-10-01  A lead participant teacher stood down: teacher t2", done.stdout)
        self.assertEqual(self.ask("restated", "--from", "2026-03-02T09:00:00Z").returncode, 0)
        for arguments, words in (((), "from"), (("--from", "2026-01-01", "--to", "2025-01-01"), "to"),
                                 (("100009", "--from", "2026-01-01"), "school/100001")):
            done = self.ask("restated", *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)

    def test_bad_input_gets_the_nearest_name(self):
        for route, status, words in (
                ("/v1/schools/100001/decisions/eligible_developmnt", 404, "eligible_development"),
                ("/v1/schools/100009/decisions/is_open", 404, "school/100001"),
                ("/v1/schools/100001/decisions/group_size_ok", 404, "about a school: it is about a group"),
                ("/v1/schools/100001/decisions/is_open?at=2020-01-01", 404, "2024-09-02"),
                ("/v1/schools/100001/decisions/is_open?at=tomorrow", 400, "tomorrow"),
                ("/v1/schools/100001/decisions/is_open?knwon=2026-01-01", 400, "known"),
                ("/v1/schools/100009/history", 404, "school/100001")):
            answer = self.d.request("GET", route)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (status, "application/problem+json"),
                             route)
            self.assertIn(words, answer.json()["detail"], route)
        for arguments, words in ((("explain", SCHOOL, "eligible_developmnt"), "eligible_development"),
                                 (("explain", "school/100009", "is_open"), "school/100001"),
                                 (("explain", "schol/100001", "is_open"), "school"),
                                 (("explain", SCHOOL, "is_open", "--at", "soon"), "soon"),
                                 (("explain", SCHOOL), "DECISION"),
                                 (("advise", SCHOOL, "group_size_ok"), "about a school: it is about a group"),
                                 (("advise", SCHOOL, "eligble_building"), "eligible_building"),
                                 (("history", "school/100009"), "school/100001")):
            done = self.ask(*arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
