"""The real daemon for system tests: a database of its own, a free port, stopped by its pid.

    with Daemon() as d:
        d.request("GET", "/v1/status").json()

Binaries: PATHWAYD, PATHWAY and PATHWAY_GENERATE name them; else they are in the folder PATHWAY_BIN, else in
build/release/bin.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240  # only a test that fails waits so long: sanitized builds on a busy machine are slow


def binary(name):
    """The path of `pathwayd`, `pathway` or `pathway-generate`."""
    folder = os.environ.get("PATHWAY_BIN", ROOT / "build/release/bin")
    return os.environ.get(name.upper().replace("-", "_"), str(Path(folder) / name))


class Answer:
    """A finished HTTP answer. Header names are looked up whatever their case."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode(errors="replace")


class Recorder:
    """Every answer of a test, kept for test_answers.py, in a file of the test's name."""

    folder = os.environ.get("PATHWAY_ANSWERS")
    file = None
    too_large = 200000

    @classmethod
    def keep(cls, method, path, answer):
        if not cls.folder or len(answer.body) > cls.too_large:
            return
        if not cls.file:
            os.makedirs(cls.folder, exist_ok=True)
            cls.file = open(Path(cls.folder) / (Path(sys.argv[0]).stem + ".ndjson"), "w")
        body = b"" if answer.headers.get("Content-Encoding") else answer.body
        if body or not answer.body:
            cls.file.write(json.dumps({"method": method, "path": path, "status": answer.status,
                                       "type": answer.headers.get("Content-Type"),
                                       "body": body.decode(errors="replace")}) + "\n")
            cls.file.flush()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    def __init__(self, now="2026-11-21T09:00:00Z", folder=None, rules=None, http="", daemon="", environment=None):
        """`now` None: the real clock. `folder`: an earlier daemon's, to start again on its database.
        `http` and `daemon`: more lines of those sections. `environment`: more variables."""
        self.own_folder = None if folder else tempfile.TemporaryDirectory(prefix="pathway-")
        self.folder = Path(folder or self.own_folder.name)
        self.socket = str(self.folder / "pathway.sock")
        self.database = str(self.folder / "pathway.db")
        self.log_path = self.folder / "log"
        self.now = now
        self.environment = environment or {}
        self.process = None
        self.port = None
        self.config = self.folder / "pathwayd.conf"
        self.config.write_text(
            f"[daemon]\ndatabase = {self.database}\nrules = {rules or ROOT / 'rules'}\n{daemon}\n"
            f"[plugin http]\nlisten = 127.0.0.1:0\nsocket = {self.socket}\n{http}\n")

    def __enter__(self):
        return self.start()

    def __exit__(self, *args):
        self.close()

    def start(self, wait=True):
        command = [binary("pathwayd"), "--config", str(self.config)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command + (["--now", self.now] if self.now else []), stderr=log,
                                            stdout=log, env=os.environ | self.environment)
        self.port = None
        if wait:
            self.await_ready()
        return self

    def await_port(self):
        """The port, once the log tells it. None: the daemon has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)\b.*\n", self.log())  # a whole line
            if found:
                self.port = int(found[1])
                return self.port
            if self.process.poll() is not None:
                return None
            time.sleep(0.02)
        raise TimeoutError("no port in the log:\n" + self.log())

    def await_ready(self):
        deadline = time.monotonic() + PATIENCE_S
        if not self.await_port():
            raise RuntimeError("the daemon ended:\n" + self.log())
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("the daemon ended:\n" + self.log())
            if self.request("GET", "/readyz").status == 200:
                return
            time.sleep(0.02)
        raise TimeoutError("never ready:\n" + self.log())

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def connection(self, unix=False):
        if unix:
            return UnixConnection(self.socket, PATIENCE_S)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def request(self, method, path, body=None, headers=None, unix=False):
        connection = self.connection(unix)
        try:
            connection.request(method, path, body, headers or {})
            answer = Answer(connection.getresponse())
            Recorder.keep(method, path, answer)
            return answer
        finally:
            connection.close()

    def raw(self, data, enough=None):
        """Send bytes and read until the daemon closes, or until `enough` of what has come. Without that: or until it
        says nothing for a second, in which it answers others."""
        out, deadline = b"", time.monotonic() + PATIENCE_S
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as s:
            try:
                s.sendall(data)
                s.settimeout(1)
                while not (enough and enough(out)):
                    try:
                        piece = s.recv(65536)
                    except TimeoutError:
                        if time.monotonic() > deadline:
                            raise
                        if enough or self.request("GET", "/livez").status != 200:
                            continue
                        s.setblocking(False)  # whatever it had to say has been said by now
                        piece = s.recv(65536)
                        s.settimeout(1)
                    if not piece:
                        break
                    out += piece
            except (ConnectionError, BlockingIOError):
                pass  # it has closed before it had read all; or it says nothing
        return out

    def send(self, events, query=""):
        """Submit events (dicts) as NDJSON; the parsed answer."""
        lines = "".join(json.dumps(e) + "\n" for e in events)
        answer = self.request("POST", "/v1/events" + query, lines, {"Content-Type": "application/x-ndjson"})
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.text()}")
        return answer.json()

    def export(self, query=""):
        """Decisions as {(subject, decision): value}."""
        rows = self.request("GET", "/v1/export/decisions" + query).text().splitlines()[1:]
        return {tuple(row.split(",", 2)[:2]): row.split(",", 2)[2] for row in rows}

    def stop(self, number=signal.SIGTERM):
        """Signal it and wait; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.port = None  # somebody else's, perhaps, from now on
        return self.process.wait(PATIENCE_S)

    def kill(self):
        return self.stop(signal.SIGKILL)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.own_folder:
            self.own_folder.cleanup()


class Impatient(Daemon):
    """One that cuts off whoever takes a second, as it is configured. A test that stands still for so long is cut off too,
    for no fault of anybody's: it asks again."""

    def request(self, *asked, **more):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return super().request(*asked, **more)
            except (ConnectionError, http.client.HTTPException):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise


def event(kind, subject, data=None, id=None, time="2025-09-10T10:00:00Z", source="urn:test", **more):
    """One event as a dict; without an id, one made of what it says."""
    made = {"specversion": "1.0", "id": id or f"{kind}/{subject}/{time}", "source": source, "type": kind,
            "subject": subject, "time": time, "data": data or {}}
    return made | more


def registered(urn, name="A School", hub="07", **more):
    data = {"name": name, "hub": hub, "education_phase": "primary", "status": "open"}
    return event("school.registered", f"school/{urn}", data, time="2024-09-02T08:00:00Z", **more)
