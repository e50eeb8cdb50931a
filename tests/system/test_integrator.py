"""The programs of docs/integrator.md, word for word, with the plug pulled on both sides: they miss nothing."""

import json
import random
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import interop
from daemon import PATIENCE_S, ROOT, Daemon, event, registered
from support import Reserved, number_from, tool

# It goes on for a while, and is told to go on again in the end.
SECTION = f"[plugin webhook]\nallow = 127.0.0.0/8\nretry = {'1 ' * 20}\n"


class Guide(unittest.TestCase):
    def setUp(self):
        interop.install()
        folder = tempfile.TemporaryDirectory(prefix="pathway-guide-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for code in re.findall(r"```js\n(.*?)```", (ROOT / "docs/integrator.md").read_text(), re.S):
            (self.folder / re.match(r"// (\w+\.mjs)\n", code)[1]).write_text(code)
        (self.folder / "node_modules").symlink_to(interop.FOLDER / "node_modules")
        self.seed = number_from("PATHWAY_SEED", 1)
        self.program = None
        port = Reserved()  # it must be there again after each kill
        self.addCleanup(port.close)
        self.port = port.port

    def start(self, *command):
        self.command = command
        self.program = subprocess.Popen(["node", *map(str, command)], cwd=self.folder, stderr=subprocess.DEVNULL)

    def kill(self):
        self.program.kill()
        self.program.wait()

    def taken(self):
        return [line["data"]["seq"] for line in self.lines() if "data" in line]

    def lines(self):
        """All that it has written whole."""
        path = self.folder / "taken.jsonl"
        whole = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in whole]

    def await_id(self, last):
        """Until the program has taken the entry with this id; all that it has taken."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            taken = self.lines()
            if taken and taken[-1]["id"] == last:
                return taken
            self.assertLess(time.monotonic(), deadline, (last, taken[-3:]))
            time.sleep(0.1)

    def pull_the_plug(self, d):
        """Changes, while now the program and now the daemon is killed at any moment; the number of the last one."""
        chance = random.Random(self.seed)
        d.send([registered(f"10000{n}") for n in range(4)])
        for step in range(number_from("PATHWAY_KILLS", 6) * 2):
            kind = "commitment.given" if step % 2 == 0 else "commitment.withdrawn"
            d.send([event(kind, f"school/10000{n}", id=f"c-{n}-{step}", time=f"2025-09-10T10:00:{step:02}Z")
                    for n in range(4)])
            time.sleep(chance.random() * 0.2)
            if step % 2 == 0:
                self.kill()
                self.start(*self.command)
            else:
                d.kill()
                d.start()
        return len(d.request("GET", "/v1/changes?limit=10000").json()["items"])

    def await_taken(self, head, meanwhile=lambda: None):
        deadline = time.monotonic() + PATIENCE_S
        while len(set(self.taken())) < head:
            self.assertLess(time.monotonic(), deadline, (self.seed, head, self.taken()))
            meanwhile()
            time.sleep(0.1)
        return self.taken()

    def test_the_receiver_of_a_webhook_misses_nothing(self):
        with Daemon(http=SECTION) as d:
            url = f"http://127.0.0.1:{self.port}/"
            secret = d.request("POST", "/v1/webhooks", json.dumps({"name": "guide", "url": url}),
                               {"Content-Type": "application/json"}).json()["secret"]
            self.start("receiver.mjs", secret, self.port)
            self.addCleanup(self.kill)
            head = self.pull_the_plug(d)
            resume = lambda: d.request("POST", "/v1/webhooks/guide/resume")  # noqa: E731
            self.assertEqual(sorted(self.await_taken(head, resume)), list(range(1, head + 1)), self.seed)

    def follow(self, d):
        """The reader of the live feed, and a daemon that keeps its port."""
        d.stop()
        d.config.write_text(d.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{self.port}"))
        d.start()
        self.start("follow.mjs", f"http://127.0.0.1:{self.port}")
        self.addCleanup(self.kill)
        deadline = time.monotonic() + PATIENCE_S
        while not self.lines():
            self.assertLess(time.monotonic(), deadline, "it has taken no list")
            time.sleep(0.05)

    def test_the_reader_of_the_live_feed_misses_nothing_and_has_it_in_order(self):
        with Daemon() as d:
            self.follow(d)
            head = self.pull_the_plug(d)
            self.assertEqual(self.await_taken(head), list(range(1, head + 1)), self.seed)

    def test_the_reader_of_the_live_feed_takes_the_list_again_after_a_restore(self):
        with Daemon() as d:
            def change(kind, day):
                d.send([event(f"commitment.{kind}", "school/100000", id=f"{kind}-{day}", time=f"2025-09-{day}T10:00:00Z")])
                return d.request("GET", "/v1/changes?limit=10000").json()["items"]

            self.follow(d)
            d.send([registered("100000")])
            kept = change("given", 10)
            self.assertEqual(tool("backup", d.folder / "b", "--url", f"unix:{d.socket}").returncode, 0)
            lost = change("withdrawn", 11)[-1]["id"]
            self.await_id(lost)
            d.stop()
            self.assertEqual(tool("restore", d.folder / "b", "--database", d.database).returncode, 0)
            d.start()
            for day in range(12, 16):  # it may come back before or after these
                feed = change("given" if day % 2 else "withdrawn", day)
            taken = self.await_id(feed[-1]["id"])
            again = next(i for i, line in enumerate(taken) if i > 0 and "list" in line)
            self.assertEqual(taken[again - 1]["id"], lost)
            place = int(taken[again]["id"].split("/")[1])
            self.assertGreaterEqual(place, len(kept))
            self.assertEqual([line["id"] for line in taken[again + 1:]], [e["id"] for e in feed[place:]])


if __name__ == "__main__":
    unittest.main()
