"""The rule author's guide does what it says: its files are written, its commands run, in their order.

A comment before a block says what it is: `file: NAME` is written there; `change: NAME OLD => NEW` changes a file
first; `exit: N` is how the next commands end; `printed` is what the last ones printed, `told` what they said on
standard error; `folder: NAME` is a copy of the national rules that must be there; `elsewhere` is not run: it needs
a daemon, and is what the tests of reloading do."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from daemon import PATIENCE_S, ROOT, binary
from support import RULES

GUIDE = ROOT / "docs/rule-author.md"
BLOCK = re.compile(r"((?:<!-- [^\n]* -->\n)*)```(\w+)\n(.*?)```\n", re.S)


class Guide(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        (self.folder / ".bin").mkdir()
        os.symlink(binary("pathway"), self.folder / ".bin/pathway")
        self.exit, self.done = 0, None

    def obey(self, comment):
        """Do what a comment says before its block; what the block itself is for, or None."""
        what, _, rest = comment.partition(":")
        rest = rest.strip()
        if what == "exit":
            self.exit = int(rest)
        elif what == "folder":
            (self.folder / rest).mkdir()
            shutil.copytree(RULES / "national", self.folder / rest / "national")
        elif what == "change":
            name, change = rest.split(" ", 1)
            old, new = change.split(" => ")
            text = (self.folder / name).read_text()
            self.assertIn(old, text)
            (self.folder / name).write_text(text.replace(old, new))
        else:
            self.assertIn(what, ("file", "printed", "told", "elsewhere"))
            return what, rest
        return None

    def run_all(self, commands):
        path = f"{self.folder / '.bin'}:{os.environ['PATH']}"
        self.done = subprocess.run(["sh", "-e", "-c", commands], cwd=self.folder, capture_output=True, text=True,
                                   timeout=PATIENCE_S, env=os.environ | {"PATH": path})
        self.assertEqual(self.done.returncode, self.exit, commands + self.done.stdout + self.done.stderr)
        self.exit = 0

    def test_every_example(self):
        blocks = BLOCK.findall(GUIDE.read_text())
        self.assertGreater(len(blocks), 8)
        for comments, language, text in blocks:
            use = None
            for comment in re.findall(r"<!-- (.*?) -->", comments):
                use = self.obey(comment) or use
            if language == "sh":
                self.run_all(text)
            elif use and use[0] == "file":
                (self.folder / use[1]).write_text(text)
            elif use and use[0] == "printed":
                self.assertEqual(self.done.stdout, text)
            elif use and use[0] == "elsewhere":
                continue
            elif use and use[0] == "told":
                self.assertIn(text, self.done.stderr)
            else:
                self.fail(f"a block that nobody runs:\n{text}")


if __name__ == "__main__":
    unittest.main()
