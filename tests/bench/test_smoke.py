"""The benchmark suite itself, on a few hundred events, so that it does not rot: every row is measured, and its floor
where it has one. Nothing is said of how fast. Without peers, and without the clock that passes midnight, which need
more than is installed for tests.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(__file__).resolve().parent / "bench.py"
ROWS = "ingest,idle,load,nation,judge,questions,feeding,overlays,growth"


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="pathway-") as home:
            cls.done = subprocess.run([sys.executable, "-B", BENCH, "--smoke", "--only", ROWS], capture_output=True,
                                      text=True, env=os.environ | {"PATHWAY_BENCH_HOME": home})
            if cls.done.returncode != 0:
                raise AssertionError(f"exits {cls.done.returncode}:\n{cls.done.stderr}")
            cls.rows = json.loads((Path(home) / "results.json").read_text())["rows"]

    def test_every_row_has_a_figure_and_a_ratio_to_its_floor(self):
        for row in self.rows:
            self.assertGreater(row["ours"]["min"], 0, row)
            if row["floor_name"]:
                self.assertGreater(row["ratio"]["min"], 0, row)

    def test_the_rules_floor_decides_what_the_daemon_decides(self):
        judged = [row for row in self.rows if row["name"].startswith("judging")]
        self.assertEqual([row["floor_name"] for row in judged], ["bare Lua"])

    def test_the_table_has_a_line_for_each_row(self):
        self.assertEqual(self.done.stdout.count("\n| "), len(self.rows) + 1)


if __name__ == "__main__":
    unittest.main()
