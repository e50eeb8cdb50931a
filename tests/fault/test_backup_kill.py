"""kill -9 of a backup, of a restore, and of a daemon that makes a copy: what has the name of a backup or of the
database is whole, always.

PATHWAY_KILLS: how many kills of each (20). PATHWAY_SEED: chooses the moments (1).
"""

import os
import random
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from daemon import Daemon, binary, registered
from proof import complaint, logged_keys
from support import number_from, tool

KILLS = number_from("PATHWAY_KILLS", 20)
SEED = number_from("PATHWAY_SEED", 1)
OLD, NEW = 3000, 4500


def killed(dice, whole_s, *command):
    """Run a command for a part of the time that it takes, then kill it; its exit status."""
    process = subprocess.Popen([binary("pathway"), *map(str, command)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        return process.wait(dice.random() * whole_s * 1.2)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon()
        cls.addClassCleanup(cls.d.close)
        cls.d.start()
        cls.d.send([registered(100000 + n, name=f"School {n}") for n in range(OLD)])

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-kill-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.dice = random.Random(SEED)

    def test_a_killed_backup_is_none(self):
        for road in ("--database", self.d.database), ("--url", f"unix:{self.d.socket}"):
            file = self.folder / "backup.db"
            began = time.monotonic()
            self.assertEqual(tool("backup", file, *road).returncode, 0)
            whole_s = time.monotonic() - began
            file.unlink()
            for _ in range(KILLS):
                code = killed(self.dice, whole_s, "backup", file, *road)
                self.assertLessEqual(set(os.listdir(self.folder)), {"backup.db", "backup.db.partial"})
                if file.exists():
                    self.assertIsNone(complaint(file, "verify"))
                    self.assertEqual(len(logged_keys(file)), OLD)
                    file.unlink()
                else:
                    self.assertNotEqual(code, 0)
            self.assertEqual(tool("backup", file, *road).returncode, 0)  # takes over what was left
            self.assertEqual(os.listdir(self.folder), ["backup.db"])
            file.unlink()
        self.assertFalse(Path(self.d.database + ".copying").exists())

    def test_a_killed_restore_leaves_the_old_or_the_new(self):
        old, new, database = (self.folder / name for name in ("old", "new", "pathway.db"))
        self.assertEqual(tool("backup", old, "--database", self.d.database).returncode, 0)
        with Daemon(folder=self.folder) as other:
            self.assertEqual(other.send([registered(200000 + n) for n in range(NEW)])["accepted"], NEW)
            self.assertEqual(tool("backup", new, "--url", f"unix:{other.socket}").returncode, 0)
        began = time.monotonic()
        self.assertEqual(tool("restore", old, "--database", database).returncode, 0)
        whole_s = time.monotonic() - began
        for i in range(KILLS):
            killed(self.dice, whole_s, "restore", (new, old)[i % 2], "--database", database)
            self.assertIsNone(complaint(database, "verify"), f"seed {SEED}, kill {i}")
            self.assertIn(len(logged_keys(database)), (OLD, NEW))
            self.assertLessEqual({name for name in os.listdir(self.folder) if "restoring" in name},
                                 {"pathway.db.restoring", "pathway.db.restoring-wal", "pathway.db.restoring-shm",
                                  "pathway.db.restoring-journal", "pathway.db.restoring.lock"})
        for aside in self.folder.glob("pathway.db.before-restore-*"):
            self.assertIn(len(logged_keys(aside)), (OLD, NEW))
        done = tool("restore", old, "--database", database)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([name for name in os.listdir(self.folder) if "restoring" in name], [])
        self.assertEqual(len(logged_keys(database)), OLD)


if __name__ == "__main__":
    unittest.main()
