"""What is installed beside the programs: unit, user, example configuration, man pages."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from daemon import PATIENCE_S, ROOT, binary
from support import RULES, tool

SYSTEMD = ROOT / "systemd"
MAN = ROOT / "docs/man"


def run(*command, **environment):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE_S,
                          env=os.environ | environment)


class Configuration(unittest.TestCase):
    def check(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            return run(binary("pathwayd"), "--config", file.name, "--check", PATHWAYD_DAEMON_RULES=str(RULES))

    def test_the_example_is_in_order_with_and_without_what_it_leaves_out(self):
        example = (SYSTEMD / "pathwayd.conf").read_text()
        whole = re.sub(r"^; (\w+ +=)", r"\1", example, flags=re.M)
        self.assertGreater(whole.count("\n"), 5)
        self.assertNotEqual(whole, example)
        for text in (example, whole):
            done = self.check(text)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.check(whole.replace("max_event ", "max_evnt ")).returncode, 1)

    def test_its_manual_names_every_key(self):
        manual = (MAN / "pathwayd.conf.5").read_text()
        for key in re.findall(r"^(?:; )?(\w+) +=", (SYSTEMD / "pathwayd.conf").read_text(), re.M):
            self.assertIn(f".B {key}\n", manual)


class Manuals(unittest.TestCase):
    def test_every_command_is_in_the_manual(self):
        manual = (MAN / "pathway.1").read_text()
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +", tool("--help").stdout, re.M)
        self.assertIn("verify", names)
        for name in names:
            self.assertRegex(manual, rf"\b{name}\b")

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_they_are_well_formed(self):
        pages = sorted(MAN.glob("*.[158]"))
        self.assertEqual(len(pages), 3)
        for page in pages:
            done = run("groff", "-ww", "-z", "-man", "-Tutf8", page)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)


class Systemd(unittest.TestCase):
    def unit_here(self, folder):
        """The unit as it would be where the programs are."""
        path = Path(folder) / "pathwayd.service"
        path.write_text((SYSTEMD / "pathwayd.service").read_text().replace("/usr/bin/pathwayd", binary("pathwayd")))
        return path

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_the_unit_is_in_order_and_confined(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = self.unit_here(folder)
            done = run("systemd-analyze", "verify", "--man=no", unit)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
            self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(shutil.which("systemd-sysusers") and os.geteuid() == 0, "needs systemd-sysusers, and root")
    def test_the_user_is_made_in_another_root(self):
        with tempfile.TemporaryDirectory() as root:
            (Path(root) / "etc").mkdir()
            done = run("systemd-sysusers", f"--root={root}", SYSTEMD / "sysusers.d/pathwayd.conf")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("pathwayd:", (Path(root) / "etc/passwd").read_text())


if __name__ == "__main__":
    unittest.main()
