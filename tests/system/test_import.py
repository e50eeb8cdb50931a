"""`pathway import schools`, `send` and `person` as people run them, against a daemon in memory; and the
import against the real one.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, binary
from fake_daemon import FakeDaemon
from support import tool

ROOT = Path(__file__).resolve().parents[2]
PATHWAY = binary("pathway")
GIAS = ROOT / "tests/data/gias"
FIRST, LATER = GIAS / "edubasealldata20220420.csv", GIAS / "edubasealldata20230420.csv"


class Tool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        self.daemon = FakeDaemon(self.path / "pathway.sock")
        self.addCleanup(self.daemon.close)

    def run_tool(self, *args, code=0, stdin=None):
        done = subprocess.run(
            [PATHWAY, *map(str, args)],
            input=stdin,
            capture_output=True,
            timeout=PATIENCE_S,
            env={**os.environ, "PATHWAY_URL": self.daemon.url},
        )
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def import_schools(self, path, *args, code=0):
        return self.run_tool("import", "schools", path, "--hubs", GIAS / "hubs.csv", *args, code=code)

    def school(self, urn):
        return next(s for s in self.daemon.registered(None) if s["subject"] == f"school/{urn}")


class Import(Tool):
    def test_every_row_is_imported_or_accounted_for(self):
        out, err = self.import_schools(FIRST)
        self.assertIn("extract of 2022-04-20: rows 25  registered 18  changed 0  unchanged 0  left out 7", out)
        self.assertIn("accepted 18  duplicate 0  conflict 0  invalid 0", out)
        told = err.splitlines()
        self.assertEqual(len(told), 7)
        for line, number in zip(told, range(21, 28)):
            self.assertTrue(line.startswith(f"{FIRST}:{number}: "), line)

    def test_a_second_import_sends_nothing(self):
        self.import_schools(FIRST)
        sent = len(self.daemon.events)
        out, _ = self.import_schools(FIRST)
        self.assertIn("registered 0  changed 0  unchanged 18", out)
        self.assertEqual(len(self.daemon.events), sent)
        self.assertEqual([p for p, _ in self.daemon.requests if p == "/v1/events"], ["/v1/events"])

    def test_a_later_extract_in_another_dress_brings_only_what_changed(self):
        self.import_schools(FIRST)
        before = set(self.daemon.events)
        out, _ = self.import_schools(LATER)
        self.assertIn("rows 9  registered 2  changed 4  unchanged 3  left out 0", out)
        fresh = [e for key, e in self.daemon.events.items() if key not in before]
        self.assertEqual(
            {e["subject"]: e["data"] for e in fresh if e["type"] == "school.changed"},
            {
                "school/100000": {"pupils": 281},
                "school/100012": {"status": "closed"},
                "school/100028": {"name": "Christ Church Primary School, Hampstead (renamed)"},
                "school/125199": {"education_phase": "first"},
            },
        )
        self.assertEqual({e["time"] for e in fresh if e["type"] == "school.changed"}, {"2023-04-19T23:00:00.000000Z"})

    def test_an_earlier_extract_does_not_undo_a_later_one(self):
        self.import_schools(FIRST)
        self.import_schools(LATER)
        sent = len(self.daemon.events)
        self.import_schools(FIRST)
        self.assertEqual(len(self.daemon.events), sent)

    def test_names_hubs_and_phases_come_out_right(self):
        self.import_schools(FIRST)
        self.assertEqual(self.school(100036)["name"], "St Alban\u2019s Church of England Primary School")
        self.assertEqual(self.school(138226)["name"], "Cobham Free School")
        self.assertEqual(self.school(116375)["name"], "Kimpton, Thruxton and Fyfield Church of England Primary School")
        self.assertEqual(self.school(100005)["hub"], "LCW")
        self.assertEqual(self.school(100006)["hub"], "SW")
        phases = {urn: self.school(urn)["education_phase"] for urn in (100005, 100016, 100017, 124934, 130016, 116407)}
        self.assertEqual(list(phases.values()), ["nursery", "junior", "infant", "first", "middle", "all_through"])
        self.assertEqual(self.school(999001)["education_phase"], "special")
        self.assertEqual(self.school(999002)["education_phase"], "secondary")
        self.assertEqual(self.school(100012)["status"], "proposed_to_close")

    def test_the_headteacher_is_not_read(self):
        self.import_schools(FIRST)
        self.assertNotIn("Headteacher", json.dumps(list(self.daemon.events.values())))

    def test_a_dry_run_prints_the_events_and_sends_nothing(self):
        out, err = self.import_schools(FIRST, "--dry-run", "--quiet")
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(events), 18)
        self.assertEqual({e["source"] for e in events}, {"urn:gias"})
        self.assertEqual(len({e["id"] for e in events}), 18)
        self.assertIn("nothing was sent", err)
        self.assertFalse(self.daemon.events)
        self.assertEqual(self.import_schools(FIRST, "--dry-run", "--quiet")[0], out)

    def test_the_summary_is_there_for_programs_too(self):
        out, err = self.import_schools(FIRST, "--json")
        summary = json.loads(out)
        self.assertEqual((summary["rows"], summary["registered"], len(summary["left_out"])), (25, 18, 7))
        self.assertEqual(err, "")

    def test_what_is_no_register_is_refused(self):
        for name, saying in (
            ("not_a_register.csv", "web page"),
            ("cut_off.csv", "line 7"),
            ("hubs.csv", "lacks URN EstablishmentName"),
            ("missing.csv", "No such file"),
        ):
            _, err = self.import_schools(GIAS / name, code=3)
            self.assertIn(saying, err)
        self.assertFalse(self.daemon.events)

    def test_hubs_are_asked_for(self):
        _, err = self.run_tool("import", "schools", FIRST, code=2)
        self.assertIn("--hubs", err)


class Send(Tool):
    def event(self, n, **more):
        return json.dumps({"id": str(n), "source": "s", "type": "t", **more})

    def test_files_are_split_and_each_refusal_names_its_line(self):
        lines = [self.event(n) for n in range(25)]
        lines[7] = "{broken"
        lines[20] = self.event(3, other=True)
        file = self.path / "events.ndjson"
        file.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode())
        out, err = self.run_tool("send", "--batch", 10, file, code=1)
        self.assertEqual(out, "accepted 23  duplicate 0  conflict 1  invalid 1\n")
        self.assertIn(f"{file}:15: invalid: ", err)
        self.assertIn(f"{file}:41: conflict: other content is there", err)
        self.assertEqual(len(self.daemon.requests), 3)
        out, _ = self.run_tool("send", file, "--json", code=1)
        again = json.loads(out)
        self.assertEqual((again["duplicate"], again["accepted"], len(again["refused"])), (23, 0, 2))

    def test_standard_input_is_read(self):
        out, err = self.run_tool("send", stdin=(self.event(1) + "\n" + self.event(2)).encode())
        self.assertEqual(out, "accepted 2  duplicate 0  conflict 0  invalid 0\n")
        self.assertEqual(err, "")

    def test_a_busy_daemon_is_asked_again(self):
        self.daemon.busy = 1
        out, _ = self.run_tool("send", "-", stdin=self.event(1).encode())
        self.assertIn("accepted 1 ", out)
        self.assertEqual(len(self.daemon.requests), 2)

    def test_patience_ends(self):
        self.daemon.busy = 1000
        _, err = self.run_tool("send", "--patience", 1, stdin=self.event(1).encode(), code=3)
        self.assertIn("busy", err)

    def test_no_daemon_is_no_success(self):
        _, err = self.run_tool("send", "--url", f"unix:{self.path}/nobody", stdin=self.event(1).encode(), code=3)
        self.assertIn("is pathwayd running?", err)
        _, err = self.run_tool("send", self.path / "missing", code=3)
        self.assertIn("missing", err)


class RealImport(unittest.TestCase):
    """What the register says, to the real daemon and back."""

    def setUp(self):
        self.daemon = Daemon(now="2026-11-21T09:00:00Z")
        self.addCleanup(self.daemon.close)
        self.daemon.start()

    def import_schools(self, path):
        done = tool("import", "schools", path, "--hubs", GIAS / "hubs.csv", PATHWAY_URL=f"unix:{self.daemon.socket}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def events(self):
        return self.daemon.request("GET", "/v1/status").json()["events"]

    def registered(self, query=""):
        answer = self.daemon.request("GET", "/v1/export/registered?format=ndjson" + query)
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/x-ndjson"))
        return {row["subject"]: row for row in map(json.loads, answer.text().splitlines())}

    def test_a_second_import_changes_nothing(self):
        self.assertIn("registered 18  changed 0  unchanged 0", self.import_schools(FIRST))
        events, changes = self.events(), self.daemon.request("GET", "/v1/changes").json()["next"]
        self.assertIn("registered 0  changed 0  unchanged 18", self.import_schools(FIRST))
        self.daemon.kill()
        self.daemon.start()
        self.assertIn("registered 0  changed 0  unchanged 18", self.import_schools(FIRST))
        self.assertEqual(self.events(), events)
        self.assertEqual(self.daemon.request("GET", "/v1/changes").json()["next"], changes)

    def test_a_later_extract_brings_what_changed_and_an_earlier_one_nothing(self):
        self.import_schools(FIRST)
        self.assertIn("registered 2  changed 4  unchanged 3", self.import_schools(LATER))
        events = self.events()
        for path in (FIRST, LATER):
            self.assertIn("registered 0  changed 0", self.import_schools(path))
        self.assertEqual(self.events(), events)
        self.assertEqual(self.registered()["school/100012"]["status"], "closed")
        self.assertEqual(self.registered("&at=2022-12-01")["school/100012"]["status"], "proposed_to_close")
        self.assertEqual(self.registered("&at=1900-01-01"), {})

    def test_what_the_register_says_is_asked_for_as_lines_of_json(self):
        self.import_schools(FIRST)
        school = self.registered()["school/100036"]
        self.assertEqual((school["name"], school["hub"]), ("St Alban\u2019s Church of England Primary School", "LCW"))
        self.assertEqual(set(school), {"subject", "name", "hub", "education_phase", "la", "postcode", "status",
                                       "pupils"})
        self.assertEqual(self.daemon.request("GET", "/v1/export/registered?format=csv").status, 400)
        self.assertEqual(self.daemon.request("GET", "/v1/export/registered?names=x&format=ndjson").status, 400)


class Others(Tool):
    def test_a_person_is_kept_shown_and_erased(self):
        self.run_tool("person", "set", "p-1", "name=Ann Lee", 'role=the "lead"')
        self.assertEqual(self.daemon.people, {"p-1": {"name": "Ann Lee", "role": 'the "lead"'}})
        out, _ = self.run_tool("person", "show", "p-1")
        self.assertEqual(out, 'name  Ann Lee\nrole  the "lead"\n')
        self.run_tool("person", "erase", "p-1")
        _, err = self.run_tool("person", "show", "p-1", code=1)
        self.assertEqual(err, "pathway: nothing is kept under this key\n")
        self.run_tool("person", "set", "p-1", "Ann Lee", code=2)

    def test_show_takes_a_bare_urn(self):
        self.daemon.pages["/v1/schools/1"] = '{"subject":"school/1","facts":{"name":"Hill"},"decisions":{}}'
        out, _ = self.run_tool("show", "1")
        self.assertTrue(out.startswith("Hill\nschool/1\n"), out)
        self.assertEqual(self.run_tool("show", "school/1", "--json")[0], self.daemon.pages["/v1/schools/1"] + "\n")
        self.run_tool("show", "school/2", code=2)
        self.run_tool("show", "schol/2", code=2)

    def test_moments_and_names_reach_the_daemon(self):
        self.daemon.pages["/v1/export/decisions"] = "subject,decision,value\n"
        out, _ = self.run_tool("export", "decisions", "--at", "2026-09-01T00:00:00+01:00", "--names", "a,b")
        self.assertEqual(out, "subject,decision,value\n")
        path = self.daemon.requests[-1][0]
        self.assertEqual(path, "/v1/export/decisions?format=csv&at=2026-09-01T00%3A00%3A00%2B01%3A00&names=a%2Cb")

    def test_wrong_use_is_told_with_the_nearest(self):
        self.assertIn('did you mean "export"', self.run_tool("exprt", code=2)[1])
        self.assertIn("did you mean --format", self.run_tool("export", "decisions", "--fromat", "csv", code=2)[1])
        self.assertIn("person erase", self.run_tool("person", code=2)[1])
        self.run_tool(code=2)

    def test_help_lists_all_commands(self):
        out, _ = self.run_tool("--help")
        for name in ("check", "test", "judge", "send", "import schools", "show", "export", "person set", "status"):
            self.assertIn(f"\n  {name} ", out)
            self.assertIn("Exit code", self.run_tool(*name.split(), "--help")[0])


if __name__ == "__main__":
    unittest.main()
