"""A backup of a daemon at work, and a daemon on what is restored: the same log, decisions, feed, cursors, tokens."""

import gzip
import json
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from daemon import PATIENCE_S, ROOT, Daemon, binary, event, registered
from proof import complaint, fault, logged_keys, rows
from support import Sender, await_true, await_wakes, difference, export, judge, sample_events, tool

FEED = "SELECT seq, recorded, generation, subject, decision, old, new, hub, cause FROM change ORDER BY seq"
NOW = "2026-11-21T09:00:00Z"


def key(e):
    return e["source"], e["id"]


def dump(database):
    """Everything in it, as SQL."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def fill(daemon, count):
    daemon.send([registered(100000 + n, name=f"School {n}") for n in range(count)]
                + [event("commitment.given", f"school/{100000 + n}") for n in range(count)])


class Backups(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(now=NOW)
        self.addCleanup(self.d.close)
        folder = tempfile.TemporaryDirectory(prefix="pathway-backup-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "backup.db"

    def fill(self, count):
        fill(self.d, count)

    def backup(self, *more, code=0):
        done = tool("backup", self.file, *more, PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def restore(self, database, *more, code=0, file=None):
        done = tool("restore", file or self.file, "--database", database, *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())


class Taken(Backups):
    def test_under_load_it_is_one_moment_with_all_that_was_acknowledged(self):
        self.d.start()
        events = sample_events()[:1500]
        acknowledged, begun, stop = [], threading.Event(), threading.Event()

        def send():
            sender = Sender(self.d)
            for at in range(0, len(events), 20):
                if stop.is_set():
                    break
                sender.send(events[at:at + 20], "ndjson")
                acknowledged.extend(events[at:at + 20])
                if at >= 600:
                    begun.set()
            begun.set()
            sender.close()

        thread = threading.Thread(target=send)
        thread.start()
        begun.wait(PATIENCE_S)
        before = list(acknowledged)
        told = json.loads(self.backup("--json").stdout)
        stop.set()
        thread.join()

        there = logged_keys(self.file)
        self.assertEqual(set(map(key, before)) - set(there), set())
        self.assertEqual((told["events"], told["changes"]),
                         rows(self.file, "SELECT max(seq) FROM event_row")[0]
                         + rows(self.file, "SELECT max(seq) FROM change_row")[0])
        self.assertEqual(told["bytes"], self.file.stat().st_size)
        self.assertEqual(there, logged_keys(self.d.database)[:len(there)])
        feed = rows(self.file, FEED)
        self.assertEqual(feed, rows(self.d.database, FEED)[:len(feed)])
        self.assertIsNone(fault(self.file))

        database = self.folder / "pathway.db"
        self.restore(database)
        with Daemon(now=NOW, folder=self.folder) as restored:
            await_wakes(restored)
            known = {key(e): e for e in events}
            self.assertIsNone(difference(export(restored), judge([known[k] for k in there], NOW)))
            self.assertEqual(rows(database, FEED)[:len(feed)], feed)
            told = restored.send(events)  # what is there already counts as a duplicate
            self.assertEqual((told["accepted"], told["conflict"], told["invalid"]), (len(known) - len(there), 0, 0))
            self.assertEqual(restored.stop(), 0)
            self.assertIsNone(complaint(database, "verify"))

    def test_it_holds_everything_that_a_quiet_database_holds(self):
        self.d = Daemon(now=NOW, http="[plugin webhook]")
        self.addCleanup(self.d.close)
        self.d.start()
        self.fill(20)
        as_admin = {"Content-Type": "application/json"}
        self.d.request("PUT", "/v1/people/p-1", '{"name":"Ann Other"}', as_admin, unix=True)
        self.d.request("POST", "/v1/tokens", '{"name":"reader","scopes":["read"]}', as_admin, unix=True)
        made = self.d.request("POST", "/v1/webhooks", '{"name":"mailer","url":"https://example.org/x"}',
                              as_admin, unix=True)
        self.assertEqual(made.status, 201, made.text())
        self.assertEqual(self.d.stop(), 0)  # nothing more comes
        self.d.start()
        await_true(lambda: rows(self.d.database, "SELECT 1 FROM cursor"))  # its place is on disk within a second
        self.backup()
        self.assertEqual(self.d.stop(), 0)
        for table in ("token", "personal", "cursor", "plugin_state", "generation", "pack_text", "subject_row", "event_row"):
            self.assertNotEqual(rows(self.file, f"SELECT count(*) FROM {table}"), [(0,)], table)
        self.assertEqual(dump(self.file), dump(self.d.database))

        self.restore(self.folder / "other.db")
        lives = [line for line in dump(self.folder / "other.db") if "'life." in line]
        self.assertEqual(len(lives), 1)  # its entries to come have another name
        self.assertEqual([line for line in dump(self.folder / "other.db") if line not in lives], dump(self.d.database))

    def test_with_no_daemon_it_is_taken_from_the_file(self):
        self.d.start()
        self.fill(10)
        done = tool("backup", self.file, "--database", self.d.database)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"backup\.db: 20 events, the last recorded 2026-11-21T09:00:00.000000Z, and [1-9]")
        self.d.kill()  # what is in the WAL only belongs to it too
        os.unlink(self.file)
        self.assertEqual(tool("backup", self.file, "--database", self.d.database).returncode, 0)
        self.assertEqual(len(logged_keys(self.file)), 20)

    def test_nobody_else_may_read_it_and_nothing_is_left_beside_it(self):
        self.d.start()
        self.fill(5)
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.backup()
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertIsNone(complaint(self.file, "verify"))
        self.assertEqual(self.names(), ["backup.db"])
        self.assertFalse(Path(self.d.database + ".copying").exists())
        os.chmod(self.file, 0o400)
        os.chmod(self.folder, 0o500)  # as on a disk that is only read
        self.addCleanup(os.chmod, self.folder, 0o700)
        self.assertIsNone(complaint(self.file, "verify"))

    def test_what_is_there_stays_unless_told(self):
        self.d.start()
        self.fill(5)
        self.file.write_text("mine")
        self.assertIn("--overwrite", self.backup(code=1).stderr)
        self.assertEqual(self.file.read_text(), "mine")
        self.backup("--overwrite")
        self.assertEqual(len(logged_keys(self.file)), 10)
        self.assertEqual(self.names(), ["backup.db"])
        for path, code in ((self.folder, 1), (self.folder / "none/x.db", 3), (self.d.database, 1)):
            for road in ("--url", f"unix:{self.d.socket}"), ("--database", self.d.database):
                done = tool("backup", path, "--overwrite", *road)
                self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(logged_keys(self.d.database)), 10)

    def test_it_takes_the_scope_admin(self):
        self.d.start()
        made = self.d.request("POST", "/v1/tokens", '{"name":"all-but","scopes":["read","write","rules","personal"]}',
                              {"Content-Type": "application/json"}, unix=True)
        self.assertIn(made.status, (200, 201), made.text())
        done = tool("backup", self.file, "--url", f"http://127.0.0.1:{self.d.port}", PATHWAY_TOKEN=made.json()["token"])
        self.assertEqual(done.returncode, 3)
        self.assertIn("admin", done.stderr)
        self.assertEqual(self.names(), [])

    def test_a_full_disk_leaves_nothing(self):
        self.d.start()
        self.fill(100)
        size = os.path.getsize(self.d.database) // 2

        def little():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        for road in ("--url", f"unix:{self.d.socket}"), ("--database", self.d.database):
            done = subprocess.run([binary("pathway"), "backup", self.file, *road], capture_output=True, text=True,
                                  preexec_fn=little, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(str(self.file), done.stderr)
            self.assertEqual(self.names(), [])

    def test_what_a_killed_daemon_left_of_a_copy_goes_at_the_next_start(self):
        left = Path(self.d.database + ".copying")
        left.write_text("half")
        self.d.start()
        self.assertFalse(left.exists())

    def test_over_http_it_is_the_file(self):
        self.d.start()
        self.fill(5)
        answer = self.d.request("POST", "/v1/backup", "{}", {"Content-Type": "application/json"})
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/vnd.sqlite3"))
        self.file.write_bytes(answer.body)
        self.assertIsNone(fault(self.file))
        self.assertEqual(self.d.request("GET", "/v1/backup").status, 405)


class Restored(Backups):
    @classmethod
    def setUpClass(cls):
        with Daemon(now=NOW) as made:
            fill(made, 60)
            backup = made.folder / "backup.db"
            made.stop()
            done = tool("backup", backup, "--database", made.database)
            assert done.returncode == 0, done.stderr
            cls.bytes = Path(made.database).read_bytes(), backup.read_bytes()

    def setUp(self):
        super().setUp()
        Path(self.d.database).write_bytes(self.bytes[0])
        self.file.write_bytes(self.bytes[1])

    def test_the_old_database_is_moved_aside_whole(self):
        self.d.start()
        self.d.send([registered(200000 + n) for n in range(7)])
        self.d.kill()  # the newest is in the WAL
        before = logged_keys(self.d.database)
        told = json.loads(self.restore(self.d.database, "--json").stdout)
        self.assertEqual(told["events"], 120)
        self.assertEqual(logged_keys(told["before"]), before)
        self.assertIsNone(complaint(told["before"], "verify"))
        self.assertEqual(len(logged_keys(self.d.database)), 120)
        self.d.start()
        self.d.stop()
        self.assertIsNone(fault(self.d.database))
        said = self.restore(self.d.database).stdout
        self.assertRegex(said, r"(?s)120 events.*\.before-restore-\S+: delete it.*systemctl start pathwayd")

    def test_mode_and_place_are_those_of_the_old_one(self):
        os.chmod(self.d.database, 0o644)
        link = self.folder / "link.db"
        link.symlink_to(self.d.database)
        self.restore(link)
        self.assertTrue(link.is_symlink())
        self.assertEqual(stat.S_IMODE(os.stat(self.d.database).st_mode), 0o644)

    def test_a_database_in_use_is_refused(self):
        self.d.start()
        before = dump(self.d.database)
        done = self.restore(self.d.database, code=3)
        self.assertIn(f"process {self.d.process.pid}", done.stderr)
        self.assertEqual(dump(self.d.database), before)
        self.assertEqual(self.d.send([registered(300000)])["accepted"], 1)

    def check_refused(self, code, pattern, file=None):
        before = dump(self.d.database)
        done = self.restore(self.d.database, code=code, file=file)
        self.assertRegex(done.stderr, pattern)
        self.assertIn(str(file or self.file), done.stderr)
        self.assertEqual(dump(self.d.database), before)
        beside = {name for name in os.listdir(self.d.folder) if name.startswith("pathway.db")}
        self.assertLessEqual(beside, {"pathway.db", "pathway.db.lock", "pathway.db-wal", "pathway.db-shm"})

    def test_a_backup_that_is_cut_off_is_named(self):
        whole = self.file.read_bytes()
        for length in (0, 50, 100, 4096, len(whole) // 2, len(whole) - 4096, len(whole) - 1):
            with self.subTest(length=length):
                self.file.write_bytes(whole[:length])
                self.check_refused(1, "is cut off|is no backup|is not whole")

    def test_a_backup_in_which_a_byte_is_another_is_named(self):
        whole = self.file.read_bytes()
        in_an_event = whole.index(b'"School 17"') + 8
        for place, bad in ((in_an_event, b"9"), (len(whole) // 8192 * 4096, bytes(4096)), (100, b"\x00"), (0, b"s")):
            with self.subTest(place=place):
                self.file.write_bytes(whole[:place] + bad + whole[place + len(bad):])
                self.check_refused(1, "is not whole: |is no backup")

    def test_what_is_no_backup_is_named(self):
        self.file.write_text("not a database at all, but long enough to have a header " * 10)
        self.check_refused(1, "is no backup")
        self.file.unlink()
        db = sqlite3.connect(self.file)
        db.execute("CREATE TABLE other (x)")
        db.commit()
        db.close()
        self.check_refused(3, "another application")
        self.check_refused(3, "no such file", file=self.folder / "none.db")
        with tempfile.TemporaryDirectory() as empty:
            tool("restore", self.folder / "none.db", "--database", Path(empty) / "pathway.db")
            self.assertEqual(list(Path(empty).iterdir()), [])
        self.check_refused(3, "that database itself", file=Path(self.d.database))

    def test_a_newer_one_is_refused_and_an_older_one_brought_up_to_date(self):
        db = sqlite3.connect(self.file)
        version, = db.execute("PRAGMA user_version").fetchone()
        db.execute(f"PRAGMA user_version = {version + 1}")
        db.close()
        self.check_refused(3, f"version {version + 1}, from a newer pathwayd")
        self.file.unlink()
        db = sqlite3.connect(self.file)
        with gzip.open(ROOT / "tests/data/migration.sql.gz", "rt") as file:
            db.executescript(file.read())
        db.execute("PRAGMA application_id = 0x50574159")
        db.execute("PRAGMA user_version = 2")
        db.close()
        copy = self.folder / "copy.db"
        self.assertEqual(tool("backup", copy, "--database", self.file).returncode, 0)
        self.assertEqual(rows(copy, "PRAGMA user_version"), [(2,)])
        self.restore(self.d.database, file=copy)
        self.assertEqual(rows(self.d.database, "PRAGMA user_version"), [(version,)])
        self.assertEqual(logged_keys(self.d.database), logged_keys(self.file))
        self.assertIsNone(complaint(self.d.database, "verify"))

    def test_a_damaged_database_is_replaced_and_kept(self):
        shutil.copy(self.file, self.folder / "good.db")
        for damage in (b"no database any more", Path(self.d.database).read_bytes()[:4096 * 3]):
            Path(self.d.database).write_bytes(damage)
            Path(self.d.database + "-wal").write_bytes(b"a WAL that nobody can read")
            told = json.loads(self.restore(self.d.database, "--json").stdout)
            self.assertEqual(Path(told["before"]).read_bytes()[:20], damage[:20])
            self.assertEqual(len(logged_keys(self.d.database)), 120)
            self.assertIsNone(fault(self.d.database))

    def test_without_room_nothing_changes(self):
        size = self.file.stat().st_size // 2
        before = dump(self.d.database)

        def little():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        done = subprocess.run([binary("pathway"), "restore", self.file, "--database", self.d.database],
                              capture_output=True, text=True, preexec_fn=little, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(dump(self.d.database), before)

    def test_wrong_use_is_told(self):
        for arguments in ([], ["a", "b"], ["a", "--no-such"]):
            self.assertEqual(tool("restore", *arguments).returncode, 2)
            self.assertEqual(tool("backup", *arguments).returncode, 2)
        done = self.restore(self.folder / "none/pathway.db", code=3)
        self.assertIn("its folder", done.stderr)


if __name__ == "__main__":
    unittest.main()
