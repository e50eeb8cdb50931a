"""What helps who writes rules: `pathway new overlay`, `types`, `doc`."""

import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from authors import Folder, small

from daemon import Daemon, event, registered
from support import RULES, tool


class NewOverlay(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def new(self, hub, *more):
        return tool("new", "overlay", hub, "--in", self.folder, *more)

    def test_it_passes_as_it_is(self):
        for hub in ("07", "boolean", "north-west.1"):
            done = self.new(hub)
            self.assertEqual(done.returncode, 0, done.stderr)
            check = tool("check", self.folder / hub)
            self.assertEqual((check.returncode, check.stderr), (0, ""))
            if hub == "07":
                tests = tool("test", self.folder / hub)
                self.assertEqual(tests.returncode, 0, tests.stdout + tests.stderr)
            self.assertNotIn("@", (self.folder / hub / "overlay.lua").read_text())

    def test_each_of_its_own_rules_is_seen_from_all_sides(self):
        self.new("07")
        done = tool("test", self.folder / "07", "--coverage", "--json")
        rows = {r["rule"]: r["tests"] for r in map(json.loads, done.stdout.splitlines()) if "rule" in r}
        self.assertEqual(set(rows), {"h07_briefed", "h07_briefing_due"})  # the national ones are not this hub's to try
        for rule in rows:
            self.assertGreater(rows[rule]["true"], 0)
            self.assertGreater(rows[rule]["false"], 0)

    def test_what_is_there_stays(self):
        self.new("07")
        file = self.folder / "07" / "overlay.lua"
        file.write_text("mine")
        done = self.new("07")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is there already, and stays as it is", done.stderr)
        self.assertEqual(file.read_text(), "mine")

    def test_a_hub_that_can_not_be(self):
        for hub in ("../x", "a b", ".hidden", ""):
            done = self.new(hub)
            self.assertEqual(done.returncode, 2, hub)
            self.assertIn("is no hub's code; expected 1 to 64 of", done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_can_not_be_written(self):
        done = tool("new", "overlay", "07", "--in", "/nonexistent")
        self.assertEqual(done.returncode, 3)
        self.assertIn("/nonexistent/07: No such file or directory", done.stderr)

    def test_for_programs(self):
        self.assertEqual(json.loads(self.new("07", "--json").stdout),
                         {"hub": "07", "folder": str(self.folder / "07")})


class Types(unittest.TestCase):
    def test_annotations_of_all_that_is_declared(self):
        done = tool("types", RULES)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("---@meta\n"))
        for line in (r"---@field leads pathway\.set<string> \(national/record\.lua:\d+\)",
                     r'---@field status\? \("open"\|"proposed_to_close"\|"proposed_to_open"\|"closed"\) .*',
                     r"---@field two_leads boolean Two lead participant teachers are named .*",
                     r"---@field leads_needed number 2 .*",
                     r"---@class pathway\.event\.lead\.named  A lead participant teacher was named",
                     r'---@field \["lead\.named"\] fun\(s: pathway\.school, e: pathway\.event\.lead\.named\)\?'):
            self.assertRegex(done.stdout, f"(?m)^{line}$")

    def test_of_an_overlay(self):
        with tempfile.TemporaryDirectory() as folder:
            tool("new", "overlay", "07", "--in", folder)
            done = tool("types", f"{folder}/07")
            self.assertRegex(done.stdout, r"(?m)^---@field h07_briefed_at\? pathway\.instant ")
            self.assertRegex(done.stdout, r"(?m)^---@field leads pathway\.set<string> ")

    @unittest.skipUnless(shutil.which("luacheck"), "luacheck is not installed")
    def test_luacheck_knows_the_words_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            tool("new", "overlay", "07", "--in", folder)
            config = Path(folder) / "luacheckrc"
            config.write_text(tool("types", "--luacheck", RULES).stdout)
            for checked in (f"{folder}/07", RULES / "national"):
                done = subprocess.run(["luacheck", "--no-color", "--config", config, checked],
                                      capture_output=True, text=True, cwd=folder)
                self.assertEqual(done.returncode, 0, done.stdout)
            slip = Path(folder) / "slip.lua"
            slip.write_text("return pack { rules = { a = rul { 'A' } }, t = os.time() }\n")
            done = subprocess.run(["luacheck", "--no-color", "--config", config, slip],
                                  capture_output=True, text=True, cwd=folder)
            self.assertIn("undefined variable 'rul'", done.stdout)
            self.assertIn("undefined variable 'os'", done.stdout)

    def test_what_is_wrong_is_told(self):
        self.assertEqual(tool("types", "/nonexistent").returncode, 1)
        self.assertEqual(tool("types", RULES, "--hub", "99").returncode, 2)


class Doc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = tool("doc", RULES).stdout

    def section(self, name):
        """The text about one rule."""
        return re.search(rf'### <a id="{name}"></a>.*?(?=\n##)', self.page, re.S)[0]

    def test_a_rule_with_all_that_belongs_to_it(self):
        text = self.section("two_leads")
        for part in ("Two lead participant teachers are named", "may be waived", "national/rules.lua:",
                     "the fact `leads`", "Parameter `leads_needed`: 2", "When it is not met: Name two",
                     'Source: NCETM, the primary school pathway, Development phase: "Two lead'):
            self.assertIn(part, text)
        self.assertIn("Met when all of these are:", self.section("eligible_development"))
        self.assertIn("[`two_leads`](#two_leads)", self.section("eligible_development"))

    def test_every_rule_is_there_and_every_link_leads_somewhere(self):
        shown = set(re.findall(r'<a id="(\w+)">', self.page))
        done = tool("test", RULES / "national", "--coverage", "--json")
        rules = {row["rule"] for row in map(json.loads, done.stdout.splitlines()) if "rule" in row}
        self.assertEqual(shown, rules)
        self.assertLessEqual(set(re.findall(r"\]\(#(\w+)\)", self.page)), shown)

    def test_sentences_that_no_rule_names(self):
        unnamed = self.page[self.page.index("## Sentences of the source that no rule names"):]
        self.assertIn("These groups are sometimes referred to as TRGs", unnamed)
        self.assertRegex(unnamed, r"national/source\.txt:\d+\)")
        self.assertNotIn("Each school gets a termly bespoke support visit", unnamed)
        self.assertNotIn("Mathematical mindsets", unnamed)  # a rule has it as its title

    def test_a_source_of_ones_own(self):
        with Folder(small()) as folder:
            (folder.path / "source.txt").write_text(
                "# where it is from\nHeading\n\nFirst things come first. Two leads\nare needed here.\n- a part of it\n")
            page = tool("doc", folder.path).stdout
            named = tool("doc", folder.path)
            self.assertIn("- Heading: First things come first. (", page)
            self.assertIn("source.txt:4)", page)
            self.assertIn("- Heading: Two leads are needed here. (", page)
            folder.file.write_text(folder.file.read_text().replace(
                'source = "register"', 'source = [[a paper: "two leads are needed"]]'))
            named = tool("doc", folder.path).stdout
            self.assertNotIn("Two leads are needed here.", named[named.index("## Sentences"):])
            self.assertIn("a part of it", named)

    def test_whom_it_affects_now(self):
        with Daemon() as d:
            d.send([registered(100001), registered(100002), event("commitment.given", "school/100001"),
                    event("waiver.granted", "school/100002", {"rule": "committed", "reason": "promised"})])
            d.stop()
            done = tool("doc", RULES, "--database", d.database)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.page = done.stdout
            self.assertIn("Now: true for 2 schools, false for 0, 1 of the true by a waiver", self.section("committed"))
            self.assertIn("Now: true for 0 schools, false for 2", self.section("two_leads"))
        self.assertEqual(tool("doc", RULES, "--database", "/nonexistent/x.db").returncode, 3)
        self.assertEqual(tool("doc", RULES, "--at", "2025-01-01").returncode, 2)


if __name__ == "__main__":
    unittest.main()
