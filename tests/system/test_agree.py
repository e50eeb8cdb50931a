"""One school, asked in every way, by the tool: the answers agree with each other, and with what was told two years ago."""

import csv
import io
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from daemon import ROOT, Daemon, event, registered
from support import ask_tool, await_wakes, judge, tool

SCHOOL = "school/100001"
THEN, NOW = "2024-11-25T09:00:00Z", "2026-11-25T09:00:00Z"
FIRST = [  # known two years ago
    registered(100001, name="Elm Primary", id="reg"),
    event("commitment.given", SCHOOL, {"by": "p.head"}, id="given", time="2024-09-02T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t1"}, id="t1", time="2024-09-10T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t2"}, id="t2", time="2024-09-11T10:00:00Z"),
]
LATER = [  # a lead who had stood down before, of whom nobody had told; and what has happened since
    event("lead.stood_down", SCHOOL, {"teacher": "t1"}, id="down", time="2024-10-01T10:00:00Z"),
    event("readiness.assessed", SCHOOL, {"area": "school_systems", "judgement": "developing"}, id="area",
          time="2025-06-10T10:00:00Z"),
]


class Agree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(now=THEN)
        cls.addClassCleanup(cls.d.close)
        cls.d.start()
        cls.d.send(FIRST)
        cls.told = cls.ask("explain", SCHOOL, "eligible_development")
        cls.d.stop()
        cls.d.now = NOW
        cls.d.start()
        await_wakes(cls.d)
        cls.d.send(LATER)

    @classmethod
    def ask(cls, *arguments, expect=0):
        done = ask_tool(cls.d, *arguments, "--json")
        assert done.returncode == expect, done.stderr
        return json.loads(done.stdout)

    def missing(self, explanation):
        return {m["rule"]: (m.get("seen"), m.get("needed", {}).get("value")) for m in explanation["missing"]}

    def test_what_was_told_two_years_ago_is_told_again(self):
        again = self.ask("explain", SCHOOL, "eligible_development", "--at", THEN, "--known", THEN)
        for member in ("value", "since", "missing", "rules", "events", "read", "behind", "cause"):
            self.assertEqual(again[member], self.told[member], member)
        self.assertEqual((again["value"], self.missing(again)), (True, {}))

    def test_what_is_told_about_then_today_differs_by_what_is_restated(self):
        today = self.ask("explain", SCHOOL, "two_leads", "--at", THEN)
        self.assertEqual(today["rules"][0]["seen"], 1)
        items = self.ask("restated", SCHOOL, "--from", THEN, expect=1)["items"]
        known = [{name: d["value"] for name, d in self.ask("show", SCHOOL, "--at", THEN, *when)["decisions"].items()}
                 for when in (("--known", THEN), ())]
        self.assertEqual({i["decision"]: (i["old"], i["new"]) for i in items},
                         {name: (old, known[1][name]) for name, old in known[0].items() if old != known[1][name]})
        for item in items:
            self.assertEqual([e["id"] for e in item["cause"]["events"]], ["down"], item)

    def test_what_is_missing_is_what_advice_makes_so(self):
        explained = self.ask("explain", SCHOOL, "eligible_development")
        self.assertIs(explained["value"], False)
        self.assertEqual(self.missing(explained)["two_leads"], (1, 2))
        shown = self.ask("show", SCHOOL)["decisions"]["eligible_development"]
        self.assertEqual([shown[m] for m in ("value", "since", "until")],
                         [explained[m] for m in ("value", "since", "until")])
        sets = self.ask("advise", SCHOOL, "eligible_development")["sets"]
        self.assertTrue(sets)
        for found in sets:
            events = [item["event"] for item in found["events"]]
            self.assertIn(f"{SCHOOL},eligible_development,true", judge(FIRST + LATER + events, found["true_at"]), found)

    def test_advice_that_was_followed_to_the_letter_leaves_room_for_more(self):
        other = "school/100002"
        self.d.send([registered(100002), event("commitment.given", other, id="given 2", time="2025-09-02T10:00:00Z")])
        for decision in ("eligible_development", "eligible_refinement", "two_leads"):
            advised = self.ask("advise", other, decision)["sets"][0]["events"]
            people = [p for item in advised for p in item["event"]["data"].values()]
            self.assertEqual(len(set(people)), len(advised), people)
            sent = self.d.send([advised[0]["event"]])  # with an id of its own, and a person whom nobody has named
            self.assertEqual(sent["accepted"], 1, sent)
            self.assertEqual(self.d.send([advised[0]["event"]])["duplicate"], 1)
        self.assertIs(self.ask("show", other)["decisions"]["two_leads"]["value"], True)

    def text(self, *arguments, expect=0):
        done = ask_tool(self.d, *arguments)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stdout

    def test_every_text_says_of_whom_and_what_in_words(self):
        advice = self.text("advise", SCHOOL, "eligible_development")
        self.assertIn("Elm Primary, school/100001\nMay join a Development Work Group  (eligible_development)\n"
                      "It would be so after any of these:\n", advice)
        self.assertIn("lead.named: teacher new-1\n", advice)
        stuck = self.text("advise", SCHOOL, "eligible_building", expect=1)
        self.assertIn("\nWhat is missing\n  The Development phase is completed  (development_complete)\n      Complete",
                      stuck)
        restated = self.text("restated", SCHOOL, "--from", THEN, "--to", "2026-12-01", expect=1)
        self.assertRegex(restated, r"^[23] answers about 2024-11-25T09:00:00Z differ between what was known at "
                                   r"2024-11-25T09:00:00Z and when 2026-12-01 began\n\nElm Primary, school/100001\n")
        nothing = self.text("restated", SCHOOL, "--from", NOW)
        self.assertEqual(nothing, "No answer about 2026-11-25T09:00:00Z differs between what was known at "
                                  "2026-11-25T09:00:00Z and at 2026-11-25T09:00:00Z\n")
        begun = self.text("explain", SCHOOL, "before_development")
        self.assertIn("    when its history begins: A school was entered in the register\n", begun)
        told = self.text("explain", SCHOOL, "two_leads")
        self.assertNotIn("1 earlier events", told)

    def test_advice_knows_nothing_of_a_predecessor_before_its_time(self):
        """A succession that lies ahead brings a commitment with it; until then there is none."""
        heir, other = "school/100005", "school/100006"
        self.d.send([registered(100005), registered(100006),
                     event("commitment.given", other, id="given 6", time="2025-09-02T10:00:00Z"),
                     event("school.succeeded", heir, {"predecessor": other}, id="heir 5", time="2027-01-05T10:00:00Z")])
        told = self.ask("advise", heir, "committed")
        self.assertEqual((told["value"], told["by_itself"]), (False, None))
        self.assertEqual([e["event"]["type"] for e in told["sets"][0]["events"]], ["commitment.given"])

    def test_no_number_is_told_as_missing(self):
        """In Preparatory, two_leads reads how many leads there are, and a criterion how many areas are secure."""
        other = "school/100004"
        self.d.send([registered(100004),
                     event("phase.recorded", other, {"pathway_phase": "preparatory"}, id="p 4"),
                     event("school.changed", other, {"status": "closed"}, id="closed 4")])
        told = {m["rule"] for m in self.ask("advise", other, "eligible_development", expect=1)["missing"]}
        self.assertLessEqual({"registered_open", "all_secure_if_preparatory", "two_leads"}, told)
        self.assertNotIn("areas_secure", told)

    def test_a_forecast_says_what_will_be_and_through_what(self):
        waived = "school/100003"
        self.d.send([registered(100003, name="Oak Primary"),
                     event("waiver.granted", waived, {"rule": "committed", "reason": "ill", "until": "2026-12-31"},
                           id="waived 3", time="2026-10-01T10:00:00Z"),
                     event("lead.named", waived, {"teacher": "t7"}, id="t7", time="2026-10-02T10:00:00Z"),
                     event("lead.named", waived, {"teacher": "t8"}, id="t8", time="2027-01-05T10:00:00Z")])
        said = self.text("forecast", waived, "--until", "2027-02-01")
        self.assertIn("\n2027-01-01\n  Oak Primary, school/100003\n"
                      "    The headteacher has committed the school: yes -> no  (committed)\n"
                      "    What to do now: Name two lead participant teachers. -> Ask the headteacher to commit the "
                      "school to the programme.  (next_step)\n      by committed\n", said)
        self.assertIn("Two lead participant teachers are named: no -> yes  (two_leads)\n"
                      "      because of: A lead participant teacher was named\n", said)

    def test_one_packs_own_folder_may_have_any_name(self):
        with tempfile.TemporaryDirectory() as folder:
            mine = Path(folder) / "mine"
            shutil.copytree(ROOT / "rules/national", mine)
            self.text("whatif", "--rules", str(mine))
            (mine / "pack.lua").write_text((mine / "pack.lua").read_text().replace("leads_needed = 2,",
                                                                                   "leads_needed = 1,"))
            self.assertIn("two_leads", self.text("whatif", "--rules", str(mine), expect=1))
            empty = ask_tool(self.d, "whatif", "--rules", folder)
            self.assertEqual(empty.returncode, 3)
            self.assertIn(f"{folder}: there is no .lua file in this folder", empty.stderr)

    def test_whom_other_parameters_would_change_and_through_what(self):
        told = self.text("whatif", "--set", "leads_needed=1", expect=1)
        self.assertIn("\nWho\n  Elm Primary, school/100001\n", told)
        whole = next(part for part in told.split("\n  ") if part.startswith("Elm Primary"))
        self.assertIn("      two_leads: no -> yes", told)
        self.assertNotIn(";", whole)
        self.assertRegex(told, r"\n      next_step: Name two lead participant teachers\. -> .*\n        by two_leads")

    def test_a_hub_is_told_by_what_belongs_to_it(self):
        """No event is about the hub itself; what is told of it is what the summary and the lists tell."""
        formed = {"kind": "development", "hub": "07", "academic_year": "2026/27"}
        joined = {"group": "group/g8", "kind": "sustaining", "academic_year": "2026/27"}
        self.d.send([event("group.formed", "group/g8", formed, id="formed 8", time="2026-09-01T10:00:00Z"),
                     registered(100008), event("group.joined", "school/100008", joined, id="in 8",
                                               time="2026-09-02T10:00:00Z")])
        told = self.ask("show", "hub/07")
        summary = self.d.request("GET", "/v1/summary?hub=07").json()
        self.assertEqual(told["schools"], summary["schools"])
        self.assertEqual({m: told["groups"][m] for m in ("count", "decisions")}, summary["groups"])
        self.assertEqual(told["groups"]["items"],
                         [g["subject"] for g in self.d.request("GET", "/v1/groups?hub=07").json()["items"]])
        self.assertEqual(told["alerts"]["out_of_order"], summary["schools"]["decisions"]["out_of_order"]["true"])
        self.assertNotIn("visit_overdue", told["alerts"])  # nobody has it
        self.assertEqual((told["facts"], told["decisions"], told["wake"], told["pack"]), ({}, {}, None, None))
        self.assertEqual(self.d.request("GET", "/v1/hubs/07").json(), told)
        then = self.ask("show", "hub/07", "--at", THEN, "--known", THEN)
        self.assertEqual((then["schools"]["count"], then["groups"]["items"], then["alerts"]), (1, [], {}))
        text = self.text("show", "hub/07")
        self.assertRegex(text, r"^hub/07\n\d+ schools, \d+ of them open\nPhases: (.*, )?none \d+.*\n1 group: group/g8\n")
        self.assertIn("\nAlerts, and how many schools or groups have them\n", text)

    def test_an_event_of_somebody_else_says_whose_it_is(self):
        """A group's history is made of its schools' events, and a school's of its groups' meetings."""
        joined = {"group": "group/g12", "kind": "development", "academic_year": "2026/27"}
        met = {"kind": "development", "academic_year": "2026/27", "half_term": 1, "attendance": {"school/100012": ["t1"]}}
        self.d.send([registered(100012), event("group.joined", "school/100012", joined, id="in 12", time="2026-09-05T10:00:00Z"),
                     event("group.met", "group/g12", met, id="met 12", time="2026-10-01T10:00:00Z")])
        self.assertIn("2026-09-05  A school joined a Work Group (school/100012): academic year 2026/27",
                      self.text("history", "group/g12"))
        school = self.text("history", "school/100012")
        self.assertIn("2026-09-05  A school joined a Work Group: academic year 2026/27", school)
        self.assertIn("2026-10-01  A Work Group met (group/g12): academic year 2026/27", school)
        self.assertIn("A school joined a Work Group (school/100012): ", self.text("explain", "group/g12", "group_schools"))

    def test_one_words_for_one_decision_everywhere(self):
        """What history, forecast and a restatement say of a change, is said in the same words."""
        words = "Two lead participant teachers are named: yes -> no  (two_leads)\n"
        self.assertIn(words, self.text("history", SCHOOL))
        self.assertIn(words, self.text("restated", SCHOOL, "--from", THEN, expect=1))
        self.assertIn(words.replace("yes -> no", "no -> yes"),
                      self.text("forecast", SCHOOL, "--at", "2024-09-11", "--until", "2024-09-12"))
        titles = {c["decision"]: c["title"] for i in self.ask("history", SCHOOL)["items"] for c in i["changes"]}
        for item in self.ask("restated", SCHOOL, "--from", THEN, expect=1)["items"]:
            self.assertEqual(item["title"], titles.get(item["decision"], item["title"]))
        self.assertEqual(self.ask("explain", SCHOOL, "two_leads")["title"], titles["two_leads"])

    def test_messages_say_moments_as_people_write_them(self):
        for arguments, words in ((("show", SCHOOL, "--at", "2010-07-01"), "by 2010-07-01; its first event is of 2024-09-02T0"),
                                 (("restated", "--from", "2026-07-01", "--to", "2025-07-01"),
                                  "from: found 2026-07-01, which is after 2025-07-01, the second"),
                                 (("forecast", SCHOOL, "--until", "2024-01-01"), "not after 2026-11-25T09:00:00Z, where"),
                                 (("advise", SCHOOL, "two_leads", "--until", "2024-01-01"), "before 2026-11-25T09:00:00Z")):
            done = ask_tool(self.d, *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)

    def test_an_alert_says_what_to_do_when_it_is_on(self):
        school, what = "school/100031", "See what the school lacks for that phase, or find it a group of the phase that it is in."
        joined = {"group": "group/g31", "kind": "sustaining", "academic_year": "2026/27"}
        self.d.send([registered(100031)])
        self.assertNotIn(what, self.text("explain", school, "out_of_order"))
        self.assertNotIn(what, self.text("advise", school, "out_of_order"))
        self.d.send([event("group.joined", school, joined, id="in 31", time="2026-09-02T10:00:00Z")])
        self.assertIn(f"\nWhat to do\n  {what}\n\nWhy\n", self.text("explain", school, "out_of_order"))
        self.assertIn(f"It is so already.\n\nWhat to do\n  {what}\n", self.text("advise", school, "out_of_order"))
        self.assertEqual(self.ask("advise", school, "out_of_order")["advice"], what)

    def test_a_school_may_be_called_by_its_name(self):
        self.d.send([registered(100021, name="St Mary's Primary"), registered(100022, name="St Mary's Primary School")])
        by_name = self.text("show", "elm primary")
        self.assertEqual(by_name, self.text("show", SCHOOL))
        self.assertEqual(self.ask("explain", "Elm", "two_leads"), self.ask("explain", SCHOOL, "two_leads"))
        self.assertIn("\nSt Mary's Primary, school/100021\n",
                      "\n" + self.text("advise", "St Mary's Primary", "two_leads"))  # whole, though another has it in it
        for command in (("history",), ("forecast", "--until", "2027-09-01"), ("restated", "--from", THEN)):
            done = ask_tool(self.d, command[0], "St Mary", *command[1:])
            self.assertEqual(done.returncode, 2)
            self.assertIn("'St Mary' may be several schools; which one? school/100021 St Mary's Primary, school/100022 St "
                          "Mary's Primary School", done.stderr)
        self.d.send([registered(100023, name="Twin Primary"), registered(100024, name="Twin Primary")])
        self.assertIn("which one? school/100023 Twin Primary, school/100024 Twin", ask_tool(self.d, "show", "twin primary").stderr)
        done = ask_tool(self.d, "show", "Hogwarts")
        self.assertEqual(done.returncode, 2)
        self.assertIn("found \"Hogwarts\", expected school/URN, group/CODE or hub/CODE; and no school is called so",
                      done.stderr)

    def test_an_unknown_hub_and_questions_that_a_hub_has_no_answer_to(self):
        for arguments, words in ((("show", "hub/7"), "nothing belongs to hub '7'"),
                                 (("history", "hub/07"), "no event is about the hub itself"),
                                 (("explain", "hub/07", "is_open"), "lists, forecasts and what-ifs with hub 07")):
            done = ask_tool(self.d, *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.d.request("GET", "/v1/hubs/99").status, 404)

    def test_of_an_unknown_hub_those_there_are_are_told(self):
        done = ask_tool(self.d, "forecast", "--hub", "99", "--until", "2027-01-01")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nothing belongs to hub '99'; there are: 07", done.stderr)

    def test_a_groups_meeting_names_all_who_came(self):
        met = {"kind": "development", "academic_year": "2026/27", "half_term": 1,
               "attendance": {SCHOOL: ["t1"], "school/100009": []}, "observation": False}
        self.d.send([event("group.met", "group/g1", met, id="met", time="2026-10-01T10:00:00Z")])
        told = self.d.request("GET", "/v1/groups/g1/events").json()["items"]
        self.assertEqual(told[0]["data"]["attendance"], met["attendance"])
        told = self.d.request("GET", "/v1/schools/100009/events").json()["items"]
        self.assertEqual(told[0]["data"]["attendance"], {"school/100009": []})

    def test_what_kept_a_move_from_writing_is_told_of_what_it_would_have_written(self):
        """`entered` is written when a school moves into Development; what it had become kept this one out."""
        school = "school/100007"
        self.d.send([registered(100007), event("commitment.given", school, id="c 7", time="2025-09-01T10:00:00Z"),
                     event("school.changed", school, {"education_phase": "secondary"}, id="secondary 7"),
                     *(event("lead.named", school, {"teacher": t}, id=t + " 7", time="2025-09-03T10:00:00Z")
                       for t in ("t1", "t2")),
                     event("group.joined", school, {"group": "group/g7", "kind": "development", "academic_year": "2025/26"},
                           id="in 7", time="2025-09-20T10:00:00Z")])
        told = self.d.request("GET", "/v1/schools/100007/decisions/entered").json()
        self.assertIsNone(told["value"])
        self.assertEqual([(e["id"], e["alone"]) for e in told["events"]], [("secondary 7", True)])

    def test_another_parameter_changes_what_the_explanation_rests_on(self):
        explained = self.ask("explain", SCHOOL, "two_leads")
        needed = explained["rules"][0]["needed"]
        done = ask_tool(self.d, "whatif", "--set", f"{needed['parameter']}={explained['rules'][0]['seen']}", "--format", "csv")
        self.assertEqual(done.returncode, 1, done.stderr)
        rows = {row[1]: row[2:] for row in csv.reader(io.StringIO(done.stdout)) if row[0] == SCHOOL}
        self.assertEqual(rows["two_leads"], ["false", "true"])
        self.assertNotIn("eligible_development", rows)  # an area stands against it too
        self.assertIn("areas", {f["name"] for r in self.ask("explain", SCHOOL, "eligible_development")["rules"]
                                for f in r["facts"]})

    def test_what_is_needed_is_said_before_anybody_is_asked(self):
        for command, option in (("forecast", "--until"), ("restated", "--from")):
            done = tool(command, SCHOOL, PATHWAY_URL="unix:/nonexistent")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{command} needs {option}", done.stderr)


if __name__ == "__main__":
    unittest.main()
