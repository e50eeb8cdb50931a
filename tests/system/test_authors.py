"""The author's commands say the same of the same folder: exit codes, places, and what of a folder is not read."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from authors import small

from daemon import binary
from support import tool

LOOKING = ("check", "test", "doc", "types")  # whose subject is the rules themselves

FAILS = """{ "this fails", given = { { "school.opened", "2024-09-01", phase = "primary" } }, at = "2025-01-01",
      expect = { may_join = true } },"""


class Place(unittest.TestCase):
    """A folder of rules in a folder where the author is."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.here = Path(holder.name)

    def put(self, path, text=""):
        file = self.here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run_here(self, *arguments):
        return subprocess.run([binary("pathway"), *arguments], capture_output=True, text=True, timeout=120,
                              cwd=self.here, env=dict(os.environ))


class Exits(Place):
    def test_a_folder_that_is_not_there_could_not_be_looked_at(self):
        for command in LOOKING:
            done = self.run_here(command, "nowhere")
            self.assertEqual((done.returncode, done.stdout), (3, ""), command)
            self.assertIn("nowhere: there is no such rules folder", done.stderr)
        done = self.run_here("judge", "--rules", "nowhere", "none.ndjson")
        self.assertEqual(done.returncode, 3, done.stderr)
        done = self.run_here("overlay", "push", "nowhere/07")
        self.assertEqual(done.returncode, 3, done.stderr)

    def test_rules_with_errors_are_told_whole_on_standard_error(self):
        self.put("small/pack.lua", small(rules="a = 5,\nb = 6,\nc = 7,"))
        told = {}
        for command in LOOKING:
            done = self.run_here(command, "small")
            self.assertEqual((done.returncode, done.stdout), (1, ""), command)
            told[command] = done.stderr
        self.assertEqual(len(told["check"].splitlines()), 3, told["check"])
        self.assertTrue(told["check"].startswith("small/pack.lua:"))
        self.assertEqual(set(told.values()), {told["check"]})
        done = self.run_here("test", "small", "--json")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", told["check"]))

    def test_folders_behind_one_that_fails_are_tested_too(self):
        self.put("small/pack.lua", small(tests=FAILS))
        self.put("good/pack.lua", small())
        done = self.run_here("test", "nowhere", "small", "good")
        self.assertEqual(done.returncode, 3)
        self.assertIn("2 passed, 1 failed", done.stdout)


class Places(Place):
    def test_a_failed_test_is_told_where_it_can_be_opened(self):
        self.run_here("new", "overlay", "07")
        tests = self.here / "07/tests.lua"
        text = tests.read_text()
        self.assertIn("expect = {", text)
        tests.write_text(re.sub(r"expect = \{", "expect = { h07_nothing = true, ", text, count=1))
        done = self.run_here("test", "07")
        self.assertEqual(done.returncode, 1)
        place = re.search(r"FAILED (\S+):(\d+): ", done.stdout)
        self.assertEqual(place[1], "07/tests.lua")
        self.assertTrue((self.here / place[1]).exists())
        row = next(r for r in map(json.loads, self.run_here("test", "07", "--json").stdout.splitlines())
                   if not r["passed"])
        self.assertEqual(row["where"], f"{place[1]}:{place[2]}")

    def test_so_are_the_rules_in_its_reasons(self):
        self.put("small/pack.lua", small(tests=FAILS, rules="""odd = criterion { "Odd", function(s)
            return s.subject + 1 end }, any = any_of { "Any", "odd", source = "x" },""").replace(
                "expect = { may_join = true }", "expect = { any = true }"))
        done = self.run_here("test", "./small/")
        self.assertRegex(done.stdout, r"FAILED \./small/pack\.lua:\d+: this fails")
        self.assertRegex(done.stdout, r'found error "\./small/pack\.lua:\d+: ')
        self.assertNotRegex(done.stdout, r"[^/]small/pack\.lua")


class Strays(Place):
    def told(self, folder="small"):
        """What `check` says, which `types` and `test` say too."""
        done = self.run_here("check", folder)
        for command in ("test", "types"):
            other = self.run_here(command, folder)
            self.assertEqual((other.returncode, other.stderr), (done.returncode, done.stderr), command)
        return done.returncode, done.stderr

    def test_what_nobody_would_read_is_an_error(self):
        self.put("small/pack.lua", small())
        self.put("small/More.LUA", "return {}")
        self.put("small/words.lua.txt", "return {}")
        self.put("small/more/deep/rules.lua", "return {}")
        self.assertEqual(self.told(), (1,
            "small/More.LUA:1: the file is not read: names of a pack's files end in .lua; call it More.lua\n"
            "small/more: the Lua files in this folder are not read: those of a pack lie side by side; put them into "
            "small\n"
            "small/words.lua.txt:1: the file is not read: names of a pack's files end in .lua; call it words.lua\n"))

    def test_beside_other_errors(self):
        self.put("small/pack.lua", small(rules="a = 5,"))
        self.put("small/more/rules.lua", "return {}")
        done = self.run_here("check", "small")
        self.assertEqual(len(done.stderr.splitlines()), 2, done.stderr)
        self.put("none/Pack.Lua", small())
        done = self.run_here("check", "none")
        self.assertEqual((done.returncode, done.stderr), (1,
            "none/Pack.Lua:1: the file is not read: names of a pack's files end in .lua; call it Pack.lua\n"))

    def test_where_overlays_lie(self):
        self.put("rules/national/pack.lua", small())
        self.put("rules/hubs/07.lua", "return overlay { hub = '07' }")
        self.put("rules/Hubs/08/overlay.lua", "return overlay { hub = '08' }")
        self.assertEqual(self.told("rules"), (1,
            "rules/Hubs: the folder is not read: overlays lie in rules/hubs/CODE/\n"
            "rules/hubs/07.lua:1: the file is not read: an overlay is a folder called by its hub's code; put it into "
            "rules/hubs/CODE/, as rules/hubs/07/07.lua\n"))

    def test_what_editors_and_people_leave_there_troubles_nobody(self):
        self.put("rules/national/pack.lua", small())
        for name in ("pack.lua~", ".pack.lua.swp", "#pack.lua#", ".#pack.lua", "pack.lua.orig", "pack.lua.bak",
                     "README.md", "source.txt", "4913", ".git/hooks/x.lua", "plan/sketch.png", "LUA"):
            self.put(f"rules/national/{name}", "no Lua at all (")
        for name in ("rules/README.md", "rules/pathway-types.lua", "rules/hubs/README.md", "rules/hubs/.keep"):
            self.put(name, "no Lua at all (")
        self.assertEqual(self.told("rules")[1], "")
        self.assertEqual(self.told("rules/national")[1], "")

    def test_they_are_not_left_out_of_what_is_sent(self):
        self.run_here("new", "overlay", "07")
        self.put("07/more/rules.lua", "return {}")
        done = self.run_here("overlay", "push", "07", "--url", "http://127.0.0.1:9")
        self.assertEqual(done.returncode, 3)
        self.assertIn("07/more: the Lua files in this folder are not read", done.stderr)
        done = tool("whatif", "--rules", self.here / "07", "--url", "http://127.0.0.1:9")
        self.assertIn("07/more: the Lua files in this folder are not read", done.stderr)


if __name__ == "__main__":
    unittest.main()
