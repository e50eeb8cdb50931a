"""Clients of others, in tests/interop, that the tests hold pathwayd against: npm packages by a lock file."""

import json
import queue
import subprocess
import threading

from daemon import PATIENCE_S, ROOT

FOLDER = ROOT / "tests/interop"


def install():
    """What the lock file names. `./dev deps` has done it already, unless this is another checkout."""
    lock, done = FOLDER / "package-lock.json", FOLDER / "node_modules/.installed"
    if not done.exists() or done.read_text() != lock.read_text():
        subprocess.run([ROOT / "dev", "interop"], stdout=subprocess.DEVNULL, check=True, timeout=900)


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


class Receiver(Client):
    """A webhook's receiver; `requests` are those that it has told of."""

    def __init__(self, port=0):
        super().__init__("receiver.mjs", port)
        self.port = self.next()["port"]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.requests = []

    def set(self, **change):
        self.process.stdin.write(json.dumps(change) + "\n")
        self.process.stdin.flush()
        while "changed" not in (line := self.next()):
            self.requests.append(line)

    def await_request(self, count=1, patience=PATIENCE_S):
        """The next requests, in the order of their answers."""
        for _ in range(count):
            self.requests.append(self.next(patience))
        return self.requests[-count:]

    def await_taken(self, ids, patience=PATIENCE_S):
        """Until all of these have been taken."""
        missing = set(ids) - {r["id"] for r in self.requests if r["status"] < 300}
        while missing:
            self.requests.append(self.next(patience))
            if self.requests[-1]["status"] < 300:
                missing.discard(self.requests[-1]["id"])


def taken_seq(request):
    return request["entry"]["data"].get("seq", 0) if request["status"] < 300 else 0
