"""Personal data stands outside the log, and goes without a trace when it is erased."""

import json
import sqlite3
import threading
import time
import unittest
from urllib.parse import urlencode

from daemon import PATIENCE_S, Daemon, event, registered
from support import export, tool

NOTE = "Mrs Quillfeather was unwell on the day"
NAME = "Ann Quillfeather"


def assessed(id="a1", note=NOTE, **more):
    return event("readiness.assessed", "school/100001", {
        "area": "school_systems", "judgement": "secure", "by": "p-1", "note": note}, id=id, **more)


class PersonalTest(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(now="2026-11-21T09:00:00Z")
        self.addCleanup(self.d.close)
        self.d.start()
        self.d.send([registered(100001)])

    def run_tool(self, *arguments, code=0):
        done = tool(*arguments, PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def files_with(self, text):
        """Every file of the daemon's folder that holds these bytes: database, WAL, log."""
        return sorted(path.name for path in self.d.folder.iterdir()
                      if path.is_file() and text.encode() in path.read_bytes())

    def await_gone(self, text):
        """Whoever has just read may stand in the WAL for a moment longer than it takes to be answered."""
        deadline = time.monotonic() + PATIENCE_S
        while self.files_with(text) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.files_with(text), [])

    def log_rows_with(self, text):
        """Rows of every table but `note` and `personal` in which these bytes stand."""
        found = []
        with sqlite3.connect(f"file:{self.d.database}?mode=ro", uri=True, timeout=60) as db:
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall():
                for row in db.execute(f"SELECT * FROM {name}").fetchall():
                    cells = [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
                    if name not in ("note", "personal") and any(text.encode() in cell for cell in cells):
                        found.append(name)
        return found

    def erase_note(self, event):
        where = urlencode({"source": event["source"], "id": event["id"]})
        return self.d.request("DELETE", f"/v1/notes?{where}")

    def events(self):
        return [json.loads(line) for line in self.run_tool("export", "events", "--format", "ndjson").splitlines()]

    def verify(self):
        self.assertTrue(self.d.request("GET", "/v1/verify").json()["ok"])


class Notes(PersonalTest):
    def test_a_note_never_enters_the_log_and_is_shown_with_its_event(self):
        self.d.send([assessed()])
        self.assertEqual(self.log_rows_with("Quillfeather"), [])
        self.assertEqual(self.events()[-1]["data"]["note"], NOTE)
        with sqlite3.connect(self.d.database, timeout=60) as db:
            body, = db.execute("SELECT body FROM event WHERE id = 'a1'").fetchone()
        self.assertRegex(json.loads(body)["data"]["note"], "^note:[0-9a-f]{32}$")
        self.assertNotIn("Quillfeather", self.d.log())

    def test_erased_it_is_gone_from_every_file_and_all_else_stays(self):
        self.d.send([assessed(), assessed("a2", "another note")])
        before = export(self.d)
        self.assertEqual(self.erase_note(assessed()).status, 200)
        self.await_gone("Quillfeather")
        self.assertEqual(export(self.d), before)
        self.assertEqual(self.events()[-1]["data"]["note"], "another note")
        self.assertNotIn("Quillfeather", json.dumps(self.events()))
        self.verify()
        self.assertEqual(self.erase_note(assessed()).status, 404)
        self.d.kill()
        self.d.start()
        self.await_gone("Quillfeather")
        self.assertEqual(export(self.d), before)

    def test_the_same_event_sent_again_is_a_duplicate_with_or_without_its_note(self):
        self.d.send([assessed()])
        self.assertEqual(self.d.send([assessed()])["duplicate"], 1)
        self.assertEqual(self.d.send([assessed(note="something else")])["conflict"], 1)
        self.erase_note(assessed())
        self.assertEqual(self.d.send([assessed()])["duplicate"], 1)
        self.assertEqual(self.d.send([assessed(note="something else")])["conflict"], 1)
        self.await_gone("Quillfeather")
        self.d.stop()
        self.d.start()
        self.assertEqual(self.d.send([assessed()])["duplicate"], 1)
        self.await_gone("Quillfeather")

    def test_a_refused_event_leaves_nothing_of_its_note(self):
        bad = assessed()
        bad["data"]["area"] = "nothing"
        self.assertEqual(self.d.send([bad])["invalid"], 1)
        self.assertEqual(self.files_with("Quillfeather"), [])

    def test_erasing_while_others_read_and_write(self):
        self.d.send([assessed(f"n{i}") for i in range(20)])
        done = threading.Event()

        def read():
            while not done.is_set():
                self.d.request("GET", "/v1/export/decisions?at=2026-01-01")

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for i in range(20):
            self.assertEqual(self.erase_note(assessed(f"n{i}")).status, 200)
            self.d.send([event("commitment.given", "school/100001", id=f"c{i}")])
        done.set()
        for thread in threads:
            thread.join()
        self.await_gone("Quillfeather")

    def test_a_reader_keeps_it_in_the_files_only_until_it_has_read(self):
        """Also where nothing is committed any more, and the daemon was killed in between."""
        for number, is_killed in enumerate((False, True)):
            with self.subTest(is_killed=is_killed):
                self.d.send([assessed(f"r{number}")])
                reader = sqlite3.connect(f"file:{self.d.database}?mode=ro", uri=True, isolation_level=None)
                self.addCleanup(reader.close)
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM note").fetchone()
                self.assertEqual(self.erase_note(assessed(f"r{number}")).status, 200)
                self.assertEqual(self.files_with("Quillfeather"), ["pathway.db-wal"])
                if is_killed:
                    self.d.kill()
                    self.d.start()
                reader.execute("COMMIT")
                self.await_gone("Quillfeather")

    def test_an_event_that_does_not_exist_has_no_note_to_erase(self):
        answer = self.erase_note({"source": "urn:test", "id": "nobody"})
        self.assertEqual(answer.status, 404)
        self.assertIn("nobody", answer.json()["detail"])
        self.assertEqual(self.d.request("DELETE", "/v1/notes?source=urn:test").status, 400)


class People(PersonalTest):
    def test_a_person_is_set_shown_and_erased_and_decisions_stay(self):
        self.d.send([event("lead.named", "school/100001", {"teacher": "p-1"})])
        before = export(self.d)
        self.run_tool("person", "set", "p-1", f"name={NAME}", "role=maths lead")
        self.assertIn(NAME, self.run_tool("person", "show", "p-1"))
        self.assertEqual(self.log_rows_with("Quillfeather"), [])
        self.run_tool("person", "set", "p-1", "name=Ann Other")
        self.assertNotIn(NAME, self.run_tool("person", "show", "p-1"))
        self.run_tool("person", "set", "p-1", f"name={NAME}")
        self.run_tool("person", "erase", "p-1")
        self.await_gone("Quillfeather")
        self.run_tool("person", "show", "p-1", code=1)
        self.run_tool("person", "erase", "p-1", code=1)
        self.assertEqual(export(self.d), before)
        self.verify()

    def test_it_survives_a_kill_once_it_is_answered(self):
        self.run_tool("person", "set", "p-1", f"name={NAME}")
        self.d.kill()
        self.d.start()
        self.assertIn(NAME, self.run_tool("person", "show", "p-1"))
        self.run_tool("person", "erase", "p-1")
        self.d.kill()
        self.await_gone("Quillfeather")
        self.d.start()
        self.run_tool("person", "show", "p-1", code=1)

    def test_without_a_daemon_the_database_itself_is_asked(self):
        self.run_tool("person", "set", "p-1", f"name={NAME}")
        self.d.stop()
        done = tool("person", "show", "p-1", "--database", self.d.database)
        self.assertEqual((done.returncode, NAME in done.stdout), (0, True), done.stderr)
        done = tool("person", "erase", "p-1", "--database", self.d.database)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.await_gone("Quillfeather")

    def put(self, name, **headers):
        return self.d.request("PUT", "/v1/people/p-1", json.dumps({"name": name}),
                              {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()})

    def etag(self):
        return self.d.request("GET", "/v1/people/p-1").headers["ETag"]

    def test_a_change_of_what_somebody_else_has_changed_is_refused(self):
        self.assertEqual(self.put("A", If_Match="*").status, 412)
        self.assertEqual(self.put("A", If_None_Match="*").status, 200)
        again = self.put("B", If_None_Match="*")
        self.assertEqual((again.status, again.headers["Content-Type"]), (412, "application/problem+json"))
        seen = self.etag()
        self.assertEqual(self.put("C", If_Match=seen).status, 200)
        stale = self.put("D", If_Match=seen)
        self.assertEqual(stale.status, 412)
        self.assertIn("somebody has changed it", stale.json()["detail"])
        self.assertEqual(self.d.request("GET", "/v1/people/p-1").json()["details"], {"name": "C"})
        self.assertEqual(self.put("E").status, 200)  # who names nothing replaces whatever is there
        self.assertEqual(self.d.request("DELETE", "/v1/people/p-1", headers={"If-Match": seen}).status, 412)
        self.assertEqual(self.d.request("DELETE", "/v1/people/p-1", headers={"If-Match": self.etag()}).status, 200)
        self.assertEqual(self.d.request("DELETE", "/v1/people/p-1", headers={"If-Match": "*"}).status, 412)

    def test_of_many_who_change_it_at_once_none_is_lost(self):
        self.put("0")

        def add():
            for _ in range(10):
                while True:
                    seen = self.d.request("GET", "/v1/people/p-1")
                    more = str(int(seen.json()["details"]["name"]) + 1)
                    if self.put(more, If_Match=seen.headers["ETag"]).status == 200:
                        break
        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.d.request("GET", "/v1/people/p-1").json()["details"], {"name": "40"})

    def test_a_key_that_is_a_name_is_refused(self):
        self.run_tool("person", "set", "Ann Lee", "name=Ann", code=2)


if __name__ == "__main__":
    unittest.main()
