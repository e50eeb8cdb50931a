"""What the tests of the whole program share: the tool, the sample, comparing exports, sending in all forms."""

import fcntl
import http.client
import json
import os
import random
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from daemon import PATIENCE_S, ROOT, binary

SAMPLE = ROOT / "tests/data/sample"
RULES = ROOT / "rules"
BRITTLE = ROOT / "tests/data/brittle"  # rules, moves and reducers that fail for some values
KINDS = {"ndjson": "application/x-ndjson", "batch": "application/cloudevents-batch+json",
         "single": "application/cloudevents+json", "binary": "application/json"}


def number_from(variable, usual):
    """A whole number from the environment, for longer runs and for repeating one that failed."""
    return int(os.environ.get(variable, usual))


def tool(*arguments, stdin=None, **environment):
    """Run `pathway`; the finished process, its streams as texts."""
    return subprocess.run([binary("pathway"), *map(str, arguments)], input=stdin, capture_output=True, text=True,
                          timeout=PATIENCE_S, env=os.environ | environment)


def ask_tool(daemon, *arguments):
    """Run `pathway` against a running daemon, by its socket."""
    return tool(*arguments, PATHWAY_URL=f"unix:{daemon.socket}")


def lines_of(events):
    return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)


def judge(events, at, rules=RULES, format="csv"):
    """What `pathway judge` makes of a list of events, or of a file of them, at a moment."""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        if not isinstance(events, (str, Path)):
            file.write(lines_of(events))
            file.flush()
            events = file.name
        done = tool("judge", "--rules", rules, "--format", format, "--at", at, events)
    if done.returncode != 0:
        raise AssertionError(f"judge exits {done.returncode}: {done.stderr}")
    return done.stdout


def export(daemon, at=None, format="csv"):
    """What `pathway export decisions` prints, from a running daemon. Only ndjson has the errors' messages."""
    moment = ["--at", at] if at else []
    done = tool("export", "decisions", "--format", format, *moment, PATHWAY_URL=f"unix:{daemon.socket}")
    if done.returncode != 0:
        raise AssertionError(f"export exits {done.returncode}: {done.stderr}")
    return done.stdout


def await_wakes(daemon):
    """Wait until what fell due while the daemon was down, or its clock stood, has been judged again; also what was
    left for later, or is held back."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status = daemon.request("GET", "/v1/status").json()
        if (status["next_wake"] is None or status["next_wake"] > status["now"]) and status["held_back"] == 0:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waking: {status}\n{daemon.log()}")
        time.sleep(0.01)


def await_true(is_so, told=lambda: ""):
    """Wait until it is so; what it was."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := is_so()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"it is never so: {told()}")
        time.sleep(0.02)
    return found


def one_is_quick(attempt, seconds):
    """Do it until it takes no longer than so many seconds (it returns how long it took). Once is enough: what is slow by
    itself is so each time, a machine that stalls is not."""
    deadline, took = time.monotonic() + PATIENCE_S, []
    while not took or took[-1] > seconds:
        if took and time.monotonic() > deadline:
            raise TimeoutError(f"never within {seconds} s: {took}")
        took.append(attempt())


class Reserved:
    """A port of this machine that nobody else is given meanwhile: outside the range from which the kernel chooses, and held
    against other tests by a file."""

    def __init__(self):
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        ports = list(range(10000, low if low > 11000 else 32768))
        random.SystemRandom().shuffle(ports)
        for self.port in ports:
            self.file = open(Path(tempfile.gettempdir()) / f"pathway-port-{self.port}", "w")
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", self.port))
                return
            except OSError:
                self.file.close()
        raise RuntimeError("no port is free")

    def close(self):
        os.unlink(self.file.name)
        self.file.close()


def difference(found, expected):
    """None when both CSVs are the same bytes; else the first lines that differ."""
    if found == expected:
        return None
    told = []
    before, after = found.splitlines(), expected.splitlines()
    here, there = set(before), set(after)
    told += [f"found     {line}" for line in before if line not in there]
    told += [f"expected  {line}" for line in after if line not in here]
    told.sort(key=lambda line: line[10:])
    return f"{len(told)} lines differ:\n" + "\n".join(told[:24]) if told else "the same lines in another order"


def sample_events():
    return [json.loads(line) for line in (SAMPLE / "sample.ndjson").read_text().splitlines()]


def sample_dates():
    return sorted(path.stem[len("expected-"):] for path in SAMPLE.glob("expected-*.csv"))


def without_next_step(text):
    return "".join(line for line in text.splitlines(True) if ",next_step," not in line)


def percent(text):
    """A context attribute as the HTTP binding wants it in a header."""
    plain = range(0x21, 0x7F)
    return "".join(chr(b) if b in plain and chr(b) not in '"%' else f"%{b:02X}" for b in text.encode())


def binary_request(event):
    """The headers and body of an event in binary mode."""
    headers = {"ce-" + name: percent(str(value)) for name, value in event.items() if name != "data"}
    return headers | {"Content-Type": KINDS["binary"]}, json.dumps(event["data"])


class Sender:
    """One connection on which events go in requests of any form; counts the statuses of all."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.connection = None
        self.counts = dict.fromkeys(("accepted", "duplicate", "conflict", "invalid"), 0)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, events, form):
        headers = {"Content-Type": KINDS[form]}
        if form == "ndjson":
            body = lines_of(events)
        elif form == "batch":
            body = json.dumps(events)
        elif form == "single":
            body = json.dumps(events[0])
        else:
            headers, body = binary_request(events[0])
        if not self.connection:
            self.connection = self.daemon.connection()
        self.connection.request("POST", "/v1/events", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise AssertionError(f"{answer.status}: {text.decode()}")
        for name, count in json.loads(text).items():
            if name != "results":
                self.counts[name] += count


def shuffled(events, seed):
    events = list(events)
    random.Random(seed).shuffle(events)
    return events


def make_pair(folder, name):
    """A self-signed certificate for 127.0.0.1, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,IP:127.0.0.2",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key
