"""The receiver of docs/integrator.md, word for word, with the plug pulled on both sides: it misses nothing."""

import json
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import clients
from daemon import PATIENCE_S, ROOT, Daemon, event, registered
from support import number_from

SECTION = "[plugin webhook]\nallow = 127.0.0.0/8\nretry = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"


class Guide(unittest.TestCase):
    def setUp(self):
        clients.install()
        folder = tempfile.TemporaryDirectory(prefix="pathway-receiver-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        code = re.search(r"```js\n(.*?)```", (ROOT / "docs/integrator.md").read_text(), re.S)[1]
        (self.folder / "receiver.mjs").write_text(code)
        shutil.copytree(clients.FOLDER / "node_modules", self.folder / "node_modules")
        self.receiver = None

    def start(self, secret, port):
        self.receiver = subprocess.Popen(["node", "receiver.mjs", secret, str(port)], cwd=self.folder)

    def kill(self):
        self.receiver.kill()
        self.receiver.wait()

    def taken(self):
        path = self.folder / "taken.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["data"]["seq"] for line in lines if line.endswith("}}}")]

    def test_it_misses_nothing_wherever_the_plug_is_pulled(self):
        seed = number_from("PATHWAY_SEED", random.randrange(10 ** 6))
        chance = random.Random(seed)
        import socket
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        with Daemon(http=SECTION) as d:
            secret = d.request("POST", "/v1/plugins/webhook.add",
                               json.dumps({"name": "guide", "url": f"http://127.0.0.1:{port}/"})).json()["secret"]
            self.start(secret, port)
            self.addCleanup(self.kill)
            d.send([registered(f"10000{n}") for n in range(4)])
            for step in range(number_from("PATHWAY_KILLS", 6) * 2):
                kind = "commitment.given" if step % 2 == 0 else "commitment.withdrawn"
                d.send([event(kind, f"school/10000{n}", id=f"c-{n}-{step}", time=f"2025-09-10T10:00:{step:02}Z")
                        for n in range(4)])
                time.sleep(chance.random() * 0.2)
                if step % 2 == 0:
                    self.kill()
                    self.start(secret, port)
                else:
                    d.kill()
                    d.start()
            head = len(d.request("GET", "/v1/changes?limit=10000").json()["items"])
            d.request("POST", "/v1/plugins/webhook.resume", '{"name":"guide"}')
            deadline = time.monotonic() + PATIENCE_S
            while sorted(self.taken()) != list(range(1, head + 1)):
                self.assertLess(time.monotonic(), deadline, (seed, head, self.taken()))
                time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
