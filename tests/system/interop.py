"""Clients of others, in tests/interop, that the tests hold pathwayd against: npm packages by a lock file."""

import fcntl
import json
import queue
import subprocess
import threading

from daemon import PATIENCE_S, ROOT

FOLDER = ROOT / "tests/interop"


def install():
    """What the lock file names, once. `./dev deps` has done it already, unless this is another checkout."""
    lock, done = (FOLDER / "package-lock.json").read_text(), FOLDER / "node_modules/.installed"
    with open(FOLDER / "package.json") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != lock:
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER, check=True,
                           timeout=900)
            done.write_text(lock)


class Client:
    """A program of tests/interop: lines of JSON in and out."""

    def __init__(self, program, *arguments):
        install()
        self.process = subprocess.Popen(["node", FOLDER / program, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self, patience=PATIENCE_S):
        return self.lines.get(timeout=patience)

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()


class Answers(Client):
    """Holds answers against the description of the interface."""

    def __init__(self):
        super().__init__("answers.mjs")

    def wrong(self, method, path, answer):
        """Sentences about what is not as described; none when all is well."""
        line = {"method": method, "path": path, "status": answer.status, "type": answer.headers.get("Content-Type"),
                "body": answer.body.decode(errors="replace")}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return self.next()["wrong"]
