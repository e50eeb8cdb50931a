"""`pathway check` runs what it has loaded: what fails, what has one side only, what nothing reaches; and
`pathway test --coverage`."""

import json
import tempfile
import unittest
from pathlib import Path

from authors import Folder, marked_line, problems_of, small

from daemon import Daemon, event, registered
from support import RULES, tool


class Doubts(unittest.TestCase):
    def assert_told(self, message, **parts):
        """One problem, with this message in the marked line."""
        text = small(**parts)
        code, told = problems_of(text)
        self.assertEqual(told, [(marked_line(text), message)])
        self.assertEqual(code, 1)

    def test_a_good_pack_is_good(self):
        code, told = problems_of(small())
        self.assertEqual((code, told), (0, []))

    def test_the_national_pack_is_good(self):
        done = tool("check", RULES / "national")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_no_school_makes_true(self):
        self.assert_told(
            "huge is false for every school, in all tests and invented cases; expected both true and false: "
            "look at its condition, or show a case in a test",
            rules="""huge = rule { "Huge and tiny", source = "x", --!
              function(s) return s.pupils ~= nil and s.pupils > 900 and s.pupils < 90 end },""")

    def test_what_no_school_makes_false(self):
        self.assert_told(
            "always is true for every school, in all tests and invented cases; expected both true and false: "
            "look at its condition, or show a case in a test",
            rules="""always = any_of { "Open or not", "is_open", "shut", source = "x" }, --!
            shut = unless { "Shut", "is_open", source = "x" },""")

    def test_a_test_settles_what_is_rare(self):
        rare = """rare = rule { "A lead with a rare name", source = "x",
                  function(s) return s.leads:has("one-in-a-million") end },"""
        code, told = problems_of(small(rules=rare))
        self.assertEqual(code, 1)
        self.assertIn("rare is false for every school", told[0][1])
        shown = """{ "a rare name", given = { { "lead.named", teacher = "one-in-a-million" } }, at = "2025-01-01",
                   expect = { rare = true } },"""
        self.assertEqual(problems_of(small(rules=rare, tests=shown)), (0, []))

    def test_what_does_not_end_is_told_in_a_while(self):
        """Each run is stopped; twelve thousand of them would take an hour."""
        self.assert_told(
            "stopped after 10 million steps; is there a loop that does not end?",
            rules="""endless = rule { "Endless", source = "x", function(s) --!
              while s.subject do end return true end },
              huge = rule { "Too little was tried to doubt it", source = "x",
              function(s) return s.pupils ~= nil and s.pupils > 900 and s.pupils < 90 end },""")
        self.assert_told(
            "functions call each other too deep; does one call itself without an end?",
            rules="""deep = rule { "Deep", source = "x", function(s)
              local function f(n) return f(n + 1) + 1 end --!
              return f(1) end },""")
        self.assert_told(
            "stopped after 10 million steps; is there a loop that does not end?",
            on="""["*"] = function(s, e) --!
              while s.subject do end end,""")

    def test_a_number_or_text_has_no_sides(self):
        self.assertEqual(problems_of(small(rules="""five = rule { "Five", source = "x", function(s) return 5 end },"""))[0], 0)

    def test_a_criterion_that_nothing_reaches(self):
        self.assert_told(
            "nothing reaches lonely: it is a criterion, and no rule or move looks at it; name it in an all_of, "
            "any_of or unless, or make it a rule",
            rules="""lonely = criterion { "Lonely", function(s) return s.open end }, --!""")

    def test_a_criterion_is_reached_by_a_function_too(self):
        self.assertEqual(problems_of(small(rules="""
            seen = criterion { "Seen", function(s) return s.open end },
            sees = rule { "Sees", source = "x", function(s) return not s.seen end },"""))[0], 0)
        self.assertEqual(problems_of(small(rules="""
            seen = criterion { "Seen", function(s) return s.open end },
            sees = rule { "Sees", source = "x", function(s) return not s["se" .. "en"] end },"""))[0], 0)

    def test_a_fact_that_nothing_sets(self):
        self.assert_told(
            "nothing sets the fact never of a school; expected a reducer (under on) or a move that does",
            facts="never = text, --!")

    def test_a_rule_that_fails_for_some_school(self):
        self.assert_told(
            "'pupils' is nothing here, and can not be calculated with; where it may be missing, write (... or 0)",
            rules="""half = rule { "Half", source = "x",
              function(s) return s.pupils / 2 end }, --!""")

    def test_a_reducer_that_fails_for_some_event(self):
        self.assert_told(
            "pupils: found 5001, expected a whole number from 0 to 5000",
            on="""["school.grew"] = function(s, e)
              s.pupils = e.data.to end, --!""",
            events="""["school.grew"] = { title = "Grew", subject = "school", data = { to = int(5001, 5001) } },""")

    def test_what_an_overlay_adds_is_tried_too(self):
        with tempfile.TemporaryDirectory() as folder:
            overlay = Path(folder, "07")
            self.assertEqual(tool("new", "overlay", "07", "--in", folder).returncode, 0)
            file = overlay / "overlay.lua"
            text = file.read_text().replace(
                "s.h07_briefed_at = e.time end",
                "s.h07_briefed_at = e.time\n        if e.data.by == 'p1' then return e.data.nights end end")
            file.write_text(text)
            line = text[:text.index("nights")].count("\n") + 1
            done = tool("check", overlay)
            self.assertEqual((done.returncode, done.stderr),
                             (1, f"{file}:{line}: unknown field 'nights' of the event's data\n"))

    def test_a_parameter_of_the_wrong_type(self):
        for value in ('"two"', "true", '"2"'):
            self.assertEqual(problems_of(small().replace("leads_needed = 2", f"leads_needed = {value}"))[0], 1, value)
        for value in ('"a year"', "true", '"365"', "{ 365, from = { ['2025-09-01'] = 36.5 } }"):
            self.assertEqual(problems_of(small().replace("promise_days = 365", f"promise_days = {value}"))[0], 1, value)

    def test_the_same_pack_gives_the_same_doubts(self):
        text = small(rules="""huge = rule { "Huge", source = "x", function(s) return (s.pupils or 0) > 5000 end },
            lonely = criterion { "Lonely", function(s) return s.open end },""")
        self.assertEqual(problems_of(text), problems_of(text))
        self.assertEqual(len(problems_of(text)[1]), 2)


class Coverage(unittest.TestCase):
    def test_outcomes_in_tests(self):
        with Folder(small()) as folder:
            done = folder.test("--coverage", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = {row["rule"]: row for row in map(json.loads, done.stdout.splitlines()) if "rule" in row}
            self.assertEqual(rows["may_join"]["tests"], {"true": 1, "false": 0, "waived": 0, "value": 0, "error": 0})
            self.assertNotIn("schools", rows["may_join"])
            table = folder.test("--coverage").stdout
            self.assertRegex(table, r"(?m)^may_join +1 +0 +0 +0 +0  never false$")
            self.assertRegex(table, r"0 of \d criteria that are true or false were both in tests")

    def test_a_failure_is_counted(self):
        with Folder(small(rules="""half = rule { "Half", source = "x", function(s) return s.pupils / 2 end },""")) as folder:
            self.assertRegex(folder.test("--coverage").stdout, r"(?m)^half +0 +0 +0 +0 +1  only fails$")

    def test_and_over_real_schools(self):
        with Daemon() as d:
            d.send([registered(100001), registered(100002), event("commitment.given", "school/100001"),
                    event("waiver.granted", "school/100002", {"rule": "committed", "reason": "promised"})])
            d.stop()
            done = tool("test", RULES, "--coverage", "--json", "--database", d.database)
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = {row["rule"]: row for row in map(json.loads, done.stdout.splitlines()) if "rule" in row}
            self.assertEqual(rows["committed"]["schools"],
                             {"true": 1, "false": 0, "waived": 1, "value": 0, "error": 0})
            self.assertGreater(rows["committed"]["tests"]["waived"], 0)
            early = tool("test", RULES, "--coverage", "--database", d.database, "--at", "2001-01-01").stdout
            self.assertIn("over 0 schools and groups", early)

    def test_what_does_not_fit_is_told(self):
        done = tool("test", RULES, "--database", "x.db")
        self.assertEqual((done.returncode, done.stderr), (2, "pathway: --database and --at go with --coverage\n"))
        done = tool("test", RULES, "--coverage", "--database", "/nonexistent/x.db")
        self.assertEqual(done.returncode, 3)


if __name__ == "__main__":
    unittest.main()
