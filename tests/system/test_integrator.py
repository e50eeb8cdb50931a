"""The programs of docs/integrator.md, word for word, with the plug pulled on both sides: they miss nothing."""

import json
import random
import re
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import interop
from daemon import PATIENCE_S, ROOT, Daemon, event, registered
from support import number_from, tool

SECTION = "[plugin webhook]\nallow = 127.0.0.0/8\nretry = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Guide(unittest.TestCase):
    def setUp(self):
        interop.install()
        folder = tempfile.TemporaryDirectory(prefix="pathway-guide-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for code in re.findall(r"```js\n(.*?)```", (ROOT / "docs/integrator.md").read_text(), re.S):
            (self.folder / re.match(r"// (\w+\.mjs)\n", code)[1]).write_text(code)
        (self.folder / "node_modules").symlink_to(interop.FOLDER / "node_modules")
        self.seed = number_from("PATHWAY_SEED", random.randrange(10 ** 6))
        self.program = None

    def start(self, *command):
        self.command = command
        self.program = subprocess.Popen(["node", *map(str, command)], cwd=self.folder, stderr=subprocess.DEVNULL)

    def kill(self):
        self.program.kill()
        self.program.wait()

    def taken(self):
        path = self.folder / "taken.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["data"]["seq"] for line in lines if line.endswith("}}}")]

    def await_id(self, last):
        """Until the program has taken the entry with this id; all that it has taken."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            lines = (self.folder / "taken.jsonl").read_text().splitlines() if self.taken() else []
            taken = [json.loads(line) for line in lines if line.endswith("}")]
            if taken and taken[-1]["id"] == last:
                return taken
            self.assertLess(time.monotonic(), deadline, (last, lines[-3:]))
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

    def await_taken(self, head):
        deadline = time.monotonic() + PATIENCE_S
        while len(set(self.taken())) < head:
            self.assertLess(time.monotonic(), deadline, (self.seed, head, self.taken()))
            time.sleep(0.1)
        return self.taken()

    def test_the_receiver_of_a_webhook_misses_nothing(self):
        port = free_port()
        with Daemon(http=SECTION) as d:
            secret = d.request("POST", "/v1/webhooks", json.dumps({"name": "guide", "url": f"http://127.0.0.1:{port}/"}),
                               {"Content-Type": "application/json"}).json()["secret"]
            self.start("receiver.mjs", secret, port)
            self.addCleanup(self.kill)
            head = self.pull_the_plug(d)
            d.request("POST", "/v1/webhooks/guide/resume")
            self.assertEqual(sorted(self.await_taken(head)), list(range(1, head + 1)), self.seed)

    def follow(self, d):
        """The reader of the live feed, and a daemon that keeps its port."""
        port = d.port
        d.stop()
        d.config.write_text(d.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        d.start()
        self.start("follow.mjs", f"http://127.0.0.1:{port}")
        self.addCleanup(self.kill)
        deadline = time.monotonic() + PATIENCE_S
        while "}" not in (self.folder / "taken.jsonl").read_text() if (self.folder / "taken.jsonl").exists() else True:
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
