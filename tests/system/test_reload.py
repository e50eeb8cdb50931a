"""Other rules while the daemon serves: what is in force, what is refused, and what the status says of it."""

import re
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, event, registered
from proof import fault
from support import RULES, await_true, difference, export, judge, tool

NOW = "2026-11-21T09:00:00Z"

# A school that has not enough may take another way, which is further along.
TURNING = """return pack { name = 'national', version = '1', params = { needed = 2 }, open = { needed = tighten },
  events = {
    at = { title = 'A', subject = 'school', data = { hub = hub } },
    go = { title = 'G', subject = 'school', data = { n = int } },
  },
  facts = { school = { hub = hub, total = initially(0, int), stage = initially('a', { 'a', 'b', 'c' }) } },
  on = { school = {
    at = function(s, e) s.hub = e.data.hub end,
    go = function(s, e) s.total = s.total + e.data.n end,
  } },
  moves = { school = { stage = first_of {
    { 'b', from = { 'a' }, function(s) return s.enough end },
    { 'c', from = { 'a' }, function(s) return s.total >= 2 and not s.enough end },
  } } },
  rules = { enough = rule { 'E', source = 's', needs = at_least('needed'), function(s) return s.total end } },
}
"""


class Reload(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        self.rules = Path(folder.name) / "rules"
        shutil.copytree(RULES / "national", self.rules / "national")
        self.d = Daemon(rules=self.rules)
        self.addCleanup(self.d.close)
        self.d.start()

    def change(self, before, after, file="pack.lua"):
        path = self.rules / "national" / file
        text = path.read_text()
        self.assertIn(before, text)
        path.write_text(text.replace(before, after))

    def without_tests(self):
        """What is expected of one lead is no more what the pack's tests say."""
        for path in (self.rules / "national").glob("tests_*.lua"):
            path.unlink()

    def fewer_leads(self):
        self.without_tests()
        self.change("leads_needed = 2,", "leads_needed = 1,")

    def reload(self, *words):
        return tool("reload", *words, PATHWAY_URL=f"unix:{self.d.socket}")

    def national(self):
        packs = self.d.request("GET", "/v1/status").json()["packs"]
        return next(p for p in packs if p["pack"] == "national")

    def send_schools(self, count=40):
        events = [registered(100001 + i) for i in range(count)]
        events += [event("lead.named", f"school/{100001 + i}", {"teacher": "t1"}) for i in range(0, count, 2)]
        self.d.send(events)
        return events

    def test_changed_rules_judge_everything_and_are_the_cause(self):
        events = self.send_schools()
        before = self.d.request("GET", "/v1/changes").json()["next"]
        self.fewer_leads()
        done = self.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^generation 2 is in force: \d+ tests passed, 40 subjects judged, 20 ")
        self.assertIsNone(difference(export(self.d), judge(events, NOW, self.rules)))
        changes = self.d.request("GET", f"/v1/changes?after={before}").json()["items"]
        self.assertEqual({c["data"]["decision"] for c in changes}, {"two_leads"})
        self.assertEqual({c["data"]["cause"]["generation"] for c in changes}, {2})
        self.assertEqual(len(changes), 20)
        self.assertIsNone(self.national()["last_error"])
        self.assertEqual(self.national()["generation"], 2)

    def test_events_go_on_to_be_judged_by_them(self):
        events = self.send_schools()
        self.fewer_leads()
        self.assertEqual(self.reload().returncode, 0)
        more = [event("lead.named", "school/100002", {"teacher": "t9"}),
                event("lead.named", "school/100005", {"teacher": "t9"}, time="2024-10-01T00:00:00Z")]
        self.d.send(more)
        self.assertIsNone(difference(export(self.d), judge(events + more, NOW, self.rules)))
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))

    def test_the_same_rules_are_no_new_generation(self):
        self.send_schools(4)
        done = self.reload()
        self.assertEqual((done.returncode, done.stdout), (0, "nothing has changed: generation 1 stays\n"))
        self.assertEqual(self.national()["generation"], 1)

    def test_rules_with_errors_are_refused_and_those_in_force_stay(self):
        events = self.send_schools(4)
        self.change("leads_needed = 2,", "leads_needed = 2,,")
        done = self.reload()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"national/pack\.lua:\d+: ")
        national = self.national()
        self.assertEqual(national["generation"], 1)
        self.assertRegex(national["last_error"], r"national/pack\.lua:\d+: ")
        since = national["error_since"]
        self.assertIsNotNone(since)
        self.reload()
        self.assertEqual(self.national()["error_since"], since)
        self.assertIsNone(difference(export(self.d), judge(events, NOW)))
        self.change("leads_needed = 2,,", "leads_needed = 2,")
        self.assertEqual(self.reload().returncode, 0)
        self.assertIsNone(self.national()["last_error"])
        self.assertIsNone(self.national()["error_since"])

    def test_a_test_that_fails_refuses_them_too(self):
        self.change("leads_needed = 2,", "leads_needed = 1,")
        done = self.reload()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"national/tests_\w+\.lua:\d+: the test '.*' fails")
        self.assertIn("lead_missing: expected true, found false", done.stderr)
        self.assertEqual(self.national()["generation"], 1)

    def test_logged_events_that_the_rules_do_not_have_any_more_are_skipped_and_counted(self):
        events = self.send_schools(4)
        self.without_tests()
        self.change("data = { teacher = person", "data = { teacher = int(1, 9)", "events.lua")
        done = self.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.d.request("GET", "/v1/status").json()["skipped_events"], 2)
        self.assertEqual({v for (_, name), v in self.d.export().items() if name == "two_leads"}, {"false"})
        self.assertEqual(len(self.d.request("GET", "/v1/export/events").text().splitlines()), len(events) + 1)
        self.d.stop()
        self.assertIsNone(fault(self.d.database))

    def test_a_hangup_reads_them_again(self):
        self.send_schools(4)
        self.fewer_leads()
        self.d.process.send_signal(signal.SIGHUP)
        await_true(lambda: "rules: in force generation=2 " in self.d.log(), self.d.log)
        self.assertEqual(self.national()["generation"], 2)

    def test_it_goes_on_with_them_after_a_restart(self):
        events = self.send_schools(4)
        self.fewer_leads()
        self.reload()
        self.d.kill()
        self.d.start()
        self.assertEqual(self.national()["generation"], 2)
        self.assertIsNone(difference(export(self.d), judge(events, NOW, self.rules)))
        self.d.stop()
        self.assertIsNone(fault(self.d.database))

    def test_a_start_with_rules_that_have_errors_goes_on_with_those_in_force(self):
        events = self.send_schools(4)
        self.d.stop()
        self.change("leads_needed = 2,", "leads_needed = 2,,")
        self.d.start()
        self.assertEqual(self.national()["generation"], 1)
        self.assertRegex(self.national()["last_error"], r"national/pack\.lua:\d+: ")
        self.assertIsNone(difference(export(self.d), judge(events, NOW)))

    def test_the_way_back_holds_until_somebody_changes_the_folder(self):
        events = self.send_schools(4)
        self.fewer_leads()
        self.assertEqual(self.reload().returncode, 0)
        back = self.reload("--rollback")
        self.assertEqual(back.returncode, 0, back.stderr)
        self.assertIn("generation 3 is in force", back.stdout)
        self.assertIsNone(difference(export(self.d), judge(events, NOW)))
        self.assertIn("nothing has changed", self.reload().stdout)
        self.d.kill()
        self.d.start()
        self.assertEqual(self.national()["generation"], 3)
        self.change("leads_needed = 1,", "leads_needed = 1, ")
        self.assertIn("generation 4 is in force", self.reload().stdout)
        self.assertIsNone(difference(export(self.d), judge(events, NOW, self.rules)))
        self.d.stop()
        self.assertIsNone(fault(self.d.database))

    def test_nothing_before_is_nothing_to_go_back_to(self):
        done = self.reload("--rollback")
        self.assertEqual(done.returncode, 1)
        self.assertIn("since generation 1", done.stderr)


class Configuration(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)
        self.d.start()

    def hang_up(self, before, after):
        """Change the configuration and say so; the log since then."""
        text = self.d.config.read_text()
        self.assertIn(before, text)
        self.d.config.write_text(text.replace(before, after))
        known = len(self.d.log())
        self.d.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not re.search("rules: (nothing has changed|not taken|in force)", self.d.log()[known:]):
            self.assertLess(time.monotonic(), deadline, self.d.log())
            time.sleep(0.02)
        return self.d.log()[known:]

    def test_limits_hold_from_then_on(self):
        events = [registered(100001 + i) for i in range(3)]
        self.d.send(events[:2])
        self.assertIn("config: read again refused=0", self.hang_up("[daemon]\n", "[daemon]\nmax_events = 1\n"))
        answer = self.d.request("POST", "/v1/events", "[]".replace("[]", str(events).replace("'", '"')),
                                {"Content-Type": "application/cloudevents-batch+json"})
        self.assertEqual(answer.status, 413, answer.text())

    def test_what_takes_a_restart_is_refused_by_line(self):
        log = self.hang_up("listen = 127.0.0.1:0", "listen = 127.0.0.1:1")
        self.assertRegex(log, r"config: refused .*pathwayd\.conf:\d+: another value of listen in \[plugin http\]: that takes"
                              r" a restart")
        self.assertEqual(self.d.request("GET", "/readyz").status, 200)

    def test_one_with_mistakes_changes_nothing(self):
        log = self.hang_up("[daemon]\n", "[daemon]\nmax_event = 1\n")
        self.assertRegex(log, r"config: not taken(.|\n)*'max_event' is '1'")

    def test_other_rules_by_another_path(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(RULES / "national", f"{folder}/national")
            pack = Path(folder) / "national/pack.lua"
            pack.write_text(pack.read_text() + "-- by another path\n")
            self.assertIn("in force generation=2", self.hang_up(f"rules = {RULES}", f"rules = {folder}"))


OVERLAY = """return overlay {
  hub = "07", version = "1",
  rules = { ["07_has_lead"] = rule { "It has %s lead", source = "hub 07", function(s) return #s.leads >= %d end } },
}
"""


class Overlays(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="pathway-hub-")
        self.addCleanup(self.folder.cleanup)
        self.mine = Path(self.folder.name) / "07"
        self.mine.mkdir()
        self.d = Daemon()
        self.addCleanup(self.d.close)
        self.d.start()
        self.d.send([registered(100001), registered(100002, hub="12"),
                     event("lead.named", "school/100001", {"teacher": "t1"})])

    def overlay(self, *words):
        return tool("overlay", *words, PATHWAY_URL=f"unix:{self.d.socket}")

    def push(self, needed, text=OVERLAY):
        (self.mine / "overlay.lua").write_text(text % ("a", needed) if "%" in text else text)
        return self.overlay("push", self.mine)

    def has_lead(self):
        found = {key: value for key, value in self.d.export().items() if key[1] == "07_has_lead"}
        return {subject: value for (subject, _), value in found.items()}

    def test_what_is_pushed_judges_the_schools_of_its_hub_alone(self):
        done = self.push(1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.has_lead(), {"school/100001": "true"})
        self.assertEqual(self.push(2).returncode, 0)
        self.assertEqual(self.has_lead(), {"school/100001": "false"})
        self.d.kill()
        self.d.start()
        self.assertEqual(self.has_lead(), {"school/100001": "false"})
        shown = self.overlay("status", "07").stdout
        self.assertRegex(shown, r"generation +3\n")
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))

    def test_it_goes_back_to_what_it_was_and_to_none(self):
        self.push(1)
        self.push(2)
        self.assertEqual(self.overlay("rollback", "07").returncode, 0)
        self.assertEqual(self.has_lead(), {"school/100001": "true"})
        self.d.stop()
        self.assertIsNone(fault(self.d.database))

    def test_one_with_errors_is_refused_and_what_was_pushed_stays(self):
        self.push(1)
        done = self.push(1, "return overlay { hub = '07', rulez = {} }")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"hubs/07/overlay\.lua:1: ")
        self.assertEqual(self.has_lead(), {"school/100001": "true"})
        status = self.d.request("GET", "/v1/overlays/07").json()
        self.assertEqual(status["generation"], 2)
        self.assertIn("rulez", status["last_error"])

    def test_one_that_moves_a_school_where_the_national_pack_does_not_let_it_is_refused_by_name(self):
        """What is stricter there makes a school come further along."""
        folder = Path(self.folder.name) / "own"
        (folder / "national").mkdir(parents=True)
        (folder / "national" / "pack.lua").write_text(TURNING)
        with Daemon(rules=folder) as d:
            d.send([event("at", "school/100001", {"hub": "07"}, time="2025-01-01T00:00:00Z"),
                    event("go", "school/100001", {"n": 2}, time="2025-01-02T00:00:00Z")])
            (self.mine / "overlay.lua").write_text("return overlay { hub = '07', params = { needed = 3 } }\n")
            done = tool("overlay", "push", self.mine, PATHWAY_URL=f"unix:{d.socket}")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("hub 07: school/100001, stage: what the overlay tightens brings this one further", done.stderr)
            self.assertEqual(d.request("GET", "/v1/status").json()["rules"]["generation"], 1)
            self.assertIn("school/100001", d.request("GET", "/v1/overlays/07").json()["last_error"])
            d.send([event("go", "school/100002", {"n": 2}, time="2025-01-02T00:00:00Z")])
            self.assertEqual(d.export()[("school/100001", "enough")], "true")

    def test_one_that_moves_schools_the_wrong_way_holds_up_no_other_pack(self):
        """It stays what it is in force, or none, also over a restart; the rest of the folder comes into force."""
        folder = Path(self.folder.name) / "own"
        for hub in ("07", "12"):
            (folder / "hubs" / hub).mkdir(parents=True)
        (folder / "national").mkdir()
        (folder / "national/pack.lua").write_text(TURNING)
        good = "return overlay { hub = '%s', params = { needed = 2 } }\n"
        (folder / "hubs/07/overlay.lua").write_text(good % "07")
        with Daemon(rules=folder) as d:
            events = [event("at", f"school/10000{i}", {"hub": hub}, time="2025-01-01T00:00:00Z")
                      for i, hub in ((1, "07"), (2, "12"), (3, "09"))]
            events += [event("go", f"school/10000{i}", {"n": 2}, time="2025-01-02T00:00:00Z") for i in (1, 2, 3)]
            d.send(events)

            def reload():
                return tool("reload", PATHWAY_URL=f"unix:{d.socket}")

            def packs():
                return {p["pack"]: p for p in d.request("GET", "/v1/status").json()["packs"]}
            own = "  rules = { ['12_own'] = rule { 'O', source = 's', function(s) return s.total end } },\n"
            for hub, more in (("07", ""), ("12", own)):
                (folder / f"hubs/{hub}/overlay.lua").write_text(
                    f"return overlay {{ hub = '{hub}', params = {{ needed = 3 }},\n{more} }}\n")
            (folder / "national/pack.lua").write_text(TURNING.replace("'E',", "'Enough',"))
            done = reload()
            self.assertEqual(done.returncode, 1, done.stdout)
            for hub, urn in (("07", "100001"), ("12", "100002")):
                self.assertIn(f"hubs/{hub} was not taken", done.stderr)
                self.assertIn(f"hub {hub}: school/{urn}, stage: what the overlay tightens brings this one further",
                              done.stderr)
            self.assertIn("generation 2", done.stdout)
            self.assertIn('"Enough"', d.request("GET", "/v1/rules/enough").text())
            self.assertIn("school/100001", packs()["hubs/07"]["last_error"])
            self.assertIn("school/100002", packs()["hubs/12"]["last_error"])
            self.assertEqual(packs()["hubs/07"]["generation"], 1)
            self.assertIsNone(packs()["hubs/12"]["generation"])
            self.assertEqual(d.export()["school/100001", "enough"], "true")
            self.assertIn("nothing has changed: generation 2 stays", reload().stdout)
            d.kill()
            d.start()
            self.assertEqual(d.request("GET", "/v1/status").json()["rules"]["generation"], 2)
            self.assertIn("school/100001", packs()["hubs/07"]["last_error"])
            (folder / "hubs/07/overlay.lua").write_text(good % "07")
            (folder / "hubs/12/overlay.lua").write_text(good.replace("},", "}," + own) % "12")
            done = reload()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIsNone(packs()["hubs/12"]["last_error"])
            self.assertIsNone(packs()["hubs/07"]["last_error"])
            self.assertEqual(d.stop(), 0)
            self.assertIsNone(fault(d.database))

    def test_what_was_refused_is_tried_again_by_a_reload_and_by_no_start(self):
        folder = Path(self.folder.name) / "own"
        (folder / "national").mkdir(parents=True)
        (folder / "national/pack.lua").write_text(TURNING)
        with Daemon(rules=folder) as d:
            d.send([event("at", "school/100001", {"hub": "07"}, time="2025-01-01T00:00:00Z"),
                    event("go", "school/100001", {"n": 2}, id="two", time="2025-01-02T00:00:00Z")])

            def overlay():
                return d.request("GET", "/v1/overlays/07").json()

            def restart():
                d.kill()
                d.start()
                return "not tried again before a reload, since it was refused as it is pack=hubs/07" in d.log()
            (folder / "hubs/07").mkdir(parents=True)
            text = "return overlay { hub = '07', params = { needed = 3 } }\n"
            (folder / "hubs/07/overlay.lua").write_text(text)
            self.assertFalse(restart())  # a start that judges finds it out too
            self.assertIn("school/100001", overlay()["last_error"])
            self.assertTrue(restart())
            self.assertIn("school/100001", overlay()["last_error"])
            (folder / "hubs/07/overlay.lua").write_text(text + "-- another\n")
            self.assertFalse(restart())  # it is something else
            (folder / "hubs/07/overlay.lua").write_text(text)
            self.assertEqual(tool("reload", PATHWAY_URL=f"unix:{d.socket}").returncode, 1)
            self.assertTrue(restart())  # what a reload has refused counts too
            d.send([event("event.voided", "school/100001", {"source": "urn:test", "id": "two"},
                          time="2025-01-03T00:00:00Z")])
            self.assertTrue(restart())  # though by now it would do no harm
            self.assertIsNone(overlay()["generation"])
            done = tool("reload", PATHWAY_URL=f"unix:{d.socket}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((overlay()["generation"], overlay()["last_error"]), (2, None))
            self.assertFalse(restart())  # and it stays
            self.assertEqual((overlay()["generation"], overlay()["last_error"]), (2, None))
            self.assertEqual(d.stop(), 0)
            self.assertIsNone(fault(d.database))

    def test_an_overlay_in_force_that_a_new_national_pack_turns_against_schools_goes(self):
        folder = Path(self.folder.name) / "own"
        (folder / "national").mkdir(parents=True)
        (folder / "hubs/07").mkdir(parents=True)
        harmless = TURNING.replace("and not s.enough", "")
        (folder / "national/pack.lua").write_text(harmless)
        (folder / "hubs/07/overlay.lua").write_text("return overlay { hub = '07', params = { needed = 3 } }\n")
        with Daemon(rules=folder) as d:
            d.send([event("at", "school/100001", {"hub": "07"}, time="2025-01-01T00:00:00Z"),
                    event("go", "school/100001", {"n": 1}, time="2025-01-02T00:00:00Z")])
            (folder / "national/pack.lua").write_text(TURNING.replace("s.total >= 2 and", "s.total >= 1 and").replace(
                "params = { needed = 2 }", "params = { needed = 1 }"))
            done = tool("reload", PATHWAY_URL=f"unix:{d.socket}")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("hubs/07 was not taken", done.stderr)
            status = d.request("GET", "/v1/status").json()
            self.assertEqual(status["rules"]["generation"], 2)
            packs = {p["pack"]: p for p in status["packs"]}
            self.assertIsNone(packs["hubs/07"]["generation"])
            self.assertIn("school/100001", packs["hubs/07"]["last_error"])
            self.assertEqual(d.export()["school/100001", "enough"], "true")

    def test_a_broken_overlay_of_the_folder_holds_up_no_other_pack(self):
        folder = Path(self.folder.name) / "rules"
        shutil.copytree(RULES, folder)
        shutil.rmtree(folder / "hubs", ignore_errors=True)
        for hub, needed in (("07", 1), ("12", 1)):
            (folder / "hubs" / hub).mkdir(parents=True)
            (folder / "hubs" / hub / "overlay.lua").write_text((OVERLAY % ("a", needed)).replace("07", hub))
        self.d.stop()
        self.d.config.write_text(self.d.config.read_text().replace(str(RULES), str(folder)))
        self.d.start()
        (folder / "hubs/07/overlay.lua").write_text("return overlay {")
        (folder / "hubs/12/overlay.lua").write_text((OVERLAY % ("some", 0)).replace("07", "12"))
        done = tool("reload", PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("hubs/07 was not taken", done.stderr)
        self.assertEqual(self.has_lead(), {"school/100001": "true"})
        self.assertEqual(self.d.export()["school/100002", "12_has_lead"], "true")
        packs = {p["pack"]: p for p in self.d.request("GET", "/v1/status").json()["packs"]}
        self.assertIsNotNone(packs["hubs/07"]["last_error"])
        self.assertIsNone(packs["hubs/12"]["last_error"])

    def test_what_is_no_overlay_is_told(self):
        for path, body, status in (("07", "{}", 400), ("07", '{"x.txt": "a"}', 400), ("..", '{"a.lua": ""}', 404),
                                   ("07", '{"a.lua": 1}', 400), ("07", "[]", 400)):
            answer = self.d.request("PUT", f"/v1/overlays/{path}", body, {"Content-Type": "application/json"})
            self.assertIn(answer.status, (status, 400), (path, body, answer.text()))
        self.assertEqual(self.d.request("GET", "/v1/overlays/99").status, 404)
        self.assertEqual(self.overlay("rollback", "99").returncode, 1)


if __name__ == "__main__":
    unittest.main()
