"""What the daemon answered to all other tests, held against the description of the interface."""

import json
import os
import unittest
from pathlib import Path

from interop import Answers


class Recorded:
    def __init__(self, line):
        self.status, self.body = line["status"], line["body"].encode()
        self.headers = {"Content-Type": line["type"]}


class Everything(unittest.TestCase):
    def test_all_answers_are_as_described(self):
        folder = Path(os.environ.get("PATHWAY_ANSWERS", "/nonexistent"))
        files = sorted(folder.glob("*.ndjson"))
        if not files:
            self.skipTest("no other test has run; ctest runs them before this one")
        answers = Answers()
        self.addCleanup(answers.close)
        seen, wrong = set(), {}
        for file in files:
            for text in file.read_text().splitlines():
                if text in seen:
                    continue
                seen.add(text)
                line = json.loads(text)
                for sentence in answers.wrong(line["method"], line["path"], Recorded(line)):
                    wrong.setdefault(sentence, f"{file.stem}: {line['body'][:300]}")
        told = "\n".join(f"{sentence}\n    {where}" for sentence, where in list(wrong.items())[:20])
        self.assertEqual(wrong, {}, f"{len(wrong)} kinds:\n{told}")


if __name__ == "__main__":
    unittest.main()
