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
from support import number_from

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

    def test_the_reader_of_the_live_feed_misses_nothing_and_has_it_in_order(self):
        with Daemon() as d:
            port = d.port
            d.stop()
            d.config.write_text(d.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
            d.start()
            self.start("follow.mjs", f"http://127.0.0.1:{port}")
            self.addCleanup(self.kill)
            head = self.pull_the_plug(d)
            self.assertEqual(self.await_taken(head), list(range(1, head + 1)), self.seed)


if __name__ == "__main__":
    unittest.main()
