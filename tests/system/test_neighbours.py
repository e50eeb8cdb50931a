"""A hub whose overlay uses up its whole budget wherever it can, beside others in one daemon: they decide what they would
alone, nothing is lost, and what they send is not held up by it."""

import re
import shutil
import tempfile
import time
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, event, registered
from proof import fault, key, logged_keys
from support import RULES, judge, lines_of, tool

NOW = "2026-11-21T09:00:00Z"
# Only schools that have a lead: a hub's rules that never end for many are not even taken.
HOSTILE = """return overlay { hub = "13", version = "1",
  facts = { school = { h13_n = initially(0, int) } },
  on = { school = {
    ["commitment.given"] = function(s, e) while true do end end,
  } },
  rules = {
    h13_one = rule { "One", source = "s", function(s) if #s.leads > 0 then while true do end end return 1 end },
  },
}
"""
GOOD = """return overlay { hub = "07", version = "1", params = { leads_needed = 3 },
  rules = { h07_leads = rule { "Leads", source = "s", function(s) return #s.leads end } },
}
"""


class Neighbours(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(self.folder.cleanup)

    def rules(self, name, **hubs):
        """A rules folder with these overlays."""
        folder = Path(self.folder.name) / name
        shutil.copytree(RULES / "national", folder / "national")
        for hub, text in hubs.items():
            (folder / "hubs" / hub[1:]).mkdir(parents=True)
            (folder / "hubs" / hub[1:] / "overlay.lua").write_text(text)
        return folder

    def about(self, text, urns):
        return [line for line in text.splitlines() if line.split(",")[0] in {f"school/{urn}" for urn in urns}]

    def evaluations(self, d):
        """How often the hostile rules have been run to their end."""
        found = re.search(r'pathwayd_rule_errors_total\{hub="13",rule="h13_one"\} (\d+)',
                          d.request("GET", "/metrics").text())
        return int(found[1]) if found else 0

    def test_others_decide_what_they_would_alone_and_do_not_wait(self):
        both = self.rules("both", h07=GOOD, h13=HOSTILE)
        alone = self.rules("alone", h07=GOOD)
        # Without holding it back it would have been judged with each of eight. Its turn comes, which is sooner than all is
        # sent where a machine stands still in between, but not each time.
        evaluations = []
        while not evaluations or evaluations[-1] >= 4:
            self.assertLess(len(evaluations), 5, evaluations)
            evaluations.append(self.beside_a_hostile_hub(both, alone))

    def beside_a_hostile_hub(self, both, alone):
        """All of it in one daemon; how often the hostile rules were run to their end while eight requests came."""
        others, hostile = range(100001, 100009), range(100101, 100102)
        sent = [registered(urn, hub="07" if urn % 2 else "09") for urn in others]
        sent += [registered(urn, hub="13") for urn in hostile]
        with Daemon(rules=both, now=NOW) as d:
            d.send(sent)
            self.assertEqual(self.evaluations(d), 0)
            for number in range(8):
                urn = hostile[0]
                batch = [event("lead.named", f"school/{urn}", {"teacher": f"t{number}"},
                               time=f"2025-0{number + 1}-01T00:00:00Z"),
                         event("commitment.given", f"school/{urn if number == 4 else others[number]}"),
                         event("lead.named", f"school/{others[number]}", {"teacher": "t1"}),
                         event("lead.named", f"school/{others[number]}", {"teacher": "t2"},
                               time="2025-10-10T00:00:00Z")]
                began = time.monotonic()
                d.send(batch)
                sent += batch
                if number == 0:
                    first = time.monotonic() - began
            self.check_lists(d, others)
            evaluations = self.evaluations(d)
            self.assertRegex(d.log(), r"rules: slow hub=13 subject=school/100101 ")
            told = {(c["subject"], c["data"]["decision"]) for c in d.request("GET", "/v1/changes?limit=1000").json()["items"]}
            self.assertTrue({(f"school/{urn}", "two_leads") for urn in others if urn % 2 == 0} <= told, told)
            found = tool("export", "decisions", "--names", "two_leads,committed,h07_leads,pathway_phase,eligible_development",
                         PATHWAY_URL=f"unix:{d.socket}").stdout
            self.check_others(found, judge(sent, NOW, alone), others)
            self.await_nobody_held(d, first)
            errors = {e["rule"] for e in d.request("GET", "/v1/status").json()["rule_errors"] if e["hub"] == "13"}
            self.assertTrue({"h13_one", "on commitment.given"} <= errors, errors)
            self.assertEqual(d.stop(), 0)
            self.assertLessEqual({key(e) for e in sent}, set(logged_keys(d.database)))
            self.assertIsNone(fault(d.database))
            return evaluations

    def check_others(self, found, expected, urns):
        names = {"two_leads", "committed", "h07_leads", "pathway_phase", "eligible_development"}
        wanted = [line for line in self.about(expected, urns) if line.split(",")[1] in names]
        self.assertEqual(self.about(found, urns), wanted)
        self.assertTrue(wanted)

    def check_lists(self, d, others):
        """While somebody is held back lists come from the tables, and say who is shown as it was."""
        for number in range(20):
            d.send([event("lead.named", "school/100101", {"teacher": f"l{number}"}, id=f"list/{number}"),
                    registered(100102 + number, hub="13")])
            page = d.request("GET", "/v1/schools?limit=1000").json()
            if "waiting" in page:
                break
        rows = {row["subject"]: row for row in page["items"]}
        self.assertGreater(page["waiting"], 0, d.log()[-3000:])
        self.assertTrue(rows["school/100101"]["waits"])
        self.assertFalse(any("waits" in rows[f"school/{urn}"] for urn in others))
        self.assertIs(rows["school/100002"]["decisions"]["two_leads"], True)
        self.assertIn("waiting", d.request("GET", "/v1/summary").json())

    def await_nobody_held(self, d, first):
        """Its turn comes, too."""
        deadline = time.monotonic() + PATIENCE_S + 40 * first
        while True:
            status = d.request("GET", "/v1/status").json()
            if status["held_back"] == 0 and status["refold_lag"] == 0:
                return
            self.assertLess(time.monotonic(), deadline, status)
            time.sleep(0.05)

    def test_a_reducer_of_an_overlay_that_fails_leaves_the_national_part_of_the_event(self):
        failing = """return overlay { hub = "07", version = "1", facts = { school = { h07_n = initially(0, int) } },
          on = { school = { ["lead.named"] = function(s, e)
            if e.data.teacher == "t2" then error("no") end
            s.h07_n = s.h07_n + 1 end } },
          rules = { h07_leads = rule { "Leads", source = "s", function(s) return s.h07_n end } } }"""
        rules = self.rules("failing", h07=failing)
        events = [registered(100001)] + [event("lead.named", "school/100001", {"teacher": f"t{i}"},
                                               time=f"2025-10-0{i}T00:00:00Z") for i in (1, 2, 3)]
        with Daemon(rules=rules, now=NOW) as d:
            for e in events:
                d.send([e])
            school = d.request("GET", "/v1/schools/100001").json()
            self.assertIs(school["decisions"]["two_leads"]["value"], True)
            self.assertEqual(sorted(school["facts"]["leads"]), ["t1", "t2", "t3"])
            self.assertEqual(school["decisions"]["h07_leads"]["value"], 2)
            one, = school["faults"]
            self.assertIs(one["only_overlay"], True)
            self.assertIn("hubs/07/overlay.lua:3: no", one["error"])
            self.assertEqual(d.export()["school/100001", "h07_leads"], "2")
            with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
                file.write(lines_of(events))
                file.flush()
                told = tool("judge", "--rules", rules, "--at", NOW, file.name).stdout
            self.assertIn("school/100001,h07_leads,2\n", told)
            self.assertEqual(d.stop(), 0)
            self.assertIsNone(fault(d.database))

    def test_a_move_of_an_overlay_that_fails_leaves_all_other_moves_as_they_would_be_without_it(self):
        # One fails before those of the national pack are asked, one between them, one when it has changed something; and
        # one that works.
        failing = """return overlay { hub = "07", version = "1",
          facts = { school = { h07_a = bool, h07_b = set(text), h07_c = initially("x", { "x", "y" }), h07_d = bool } },
          moves = { school = {
            h07_a = once(function(s) if s.committed then ENDING end return false end),
            h07_b = gather(function(s) return { 1 } end),
            h07_c = first_of { { "y", function(s) return s.pathway_phase == "preparatory" end,
              enter = function(s) s.h07_b:add("left") error("not entered") end } },
            h07_d = once(function(s) return s.pathway_phase ~= "none" end),
          } },
          rules = { h07_shown = rule { "Shown", source = "s", function(s)
            return tostring(s.h07_a) .. #s.h07_b .. s.h07_c .. tostring(s.h07_d) end } } }"""
        year = {"academic_year": "2025/26"}
        events = [registered(100001), event("commitment.given", "school/100001", time="2025-09-02T00:00:00Z"),
                  event("readiness.assessed", "school/100001", {"area": "school_systems", "judgement": "not_yet"},
                        time="2025-09-03T00:00:00Z"),
                  event("group.joined", "school/100001", {"group": "group/r", "kind": "readiness"} | year,
                        time="2025-09-04T00:00:00Z"),
                  *[event("readiness.assessed", "school/100001", {"area": area, "judgement": "secure"},
                          id=area, time="2025-10-01T00:00:00Z") for area in (
                      "vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems",
                      "arithmetical_proficiency")],
                  *[event("lead.named", "school/100001", {"teacher": t}, id=t, time="2025-10-02T00:00:00Z")
                    for t in "ab"],
                  event("group.joined", "school/100001", {"group": "group/d", "kind": "development"} | year,
                        time="2025-10-03T00:00:00Z")]
        rules = self.rules("moves", h07=failing.replace("ENDING", 'error("no")'))
        with Daemon(rules=rules, now=NOW) as d:
            for e in events:
                d.send([e])
            school = d.request("GET", "/v1/schools/100001").json()
            self.assertEqual(school["decisions"]["pathway_phase"]["value"], "development")
            self.assertEqual(school["decisions"]["h07_shown"]["value"], "false0xtrue")
            told = {f["move"]: f["error"] for f in school["faults"] if f["only_overlay"]}
            self.assertEqual(set(told), {"h07_a", "h07_b", "h07_c"}, school["faults"])
            self.assertIn("hubs/07/overlay.lua:", told["h07_c"])
            failures = {f["rule"] for f in d.request("GET", "/v1/status").json()["rule_errors"]}
            self.assertEqual(failures, {"move h07_a", "move h07_b", "move h07_c"})
            listed = tool("quarantine", "list", PATHWAY_URL=f"unix:{d.socket}").stdout
            self.assertIn("left out  school/100001  move h07_c\n    hubs/07/overlay.lua:", listed)
            self.assertEqual(d.stop(), 0)
            self.assertIsNone(fault(d.database))
        # Once some have been stopped too often for a subject, none of the overlay's is asked for it.
        endless = self.rules("endless", h07=failing.replace("ENDING", "while true do end"))
        alone = judge(events, NOW, self.rules("alone"))
        for rules, shown in ((rules, "false0xtrue"), (endless, "false0xfalse")):
            found = judge(events, NOW, rules)
            self.assertIn(f"school/100001,h07_shown,{shown}\n", found)
            self.assertEqual("".join(line for line in found.splitlines(True) if ",h07_" not in line), alone)


if __name__ == "__main__":
    unittest.main()
