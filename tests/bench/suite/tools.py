"""Where everything is, and the suite's own programs: each prints one line of JSON."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/system"))

from daemon import Daemon, binary  # noqa: E402

HOME = Path(os.environ.get("PATHWAY_BENCH_HOME", ROOT / "build/bench"))
NOW = "2026-11-24T00:00:00Z"  # the daemon's clock, unless a row says otherwise; nothing is told after it
HEAVY_S = 3600


class Work:
    """A folder on the disk that is measured, gone at the end."""

    def __enter__(self):
        HOME.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="work-", dir=HOME))
        self.folder.chmod(0o755)  # a database server may run as somebody else
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def run(program, *arguments, timeout=HEAVY_S):
    """Run a program; the JSON that it prints."""
    command = [str(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\nexits {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def tool(name, *arguments):
    """One of the suite's C programs."""
    return run(binary("bench-" + name), *arguments)


def pathway(*arguments):
    """What the tool `pathway` prints."""
    done = subprocess.run([binary("pathway"), *map(str, arguments)], capture_output=True, timeout=HEAVY_S)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pathway {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


def send(daemon, load, clients=1, batch=1000, skip=0, limit=0, beside=None, beside_skip=0, marks=(), judged=True):
    """Send events of a load to a daemon with the C client; all are acknowledged and, unless told otherwise, judged."""
    options = ["--port", daemon.port, "--events", load, "--clients", clients, "--batch", batch, "--skip", skip]
    options += ["--limit", limit] if limit else []
    options += ["--beside", beside, "--beside-skip", beside_skip] if beside else []
    options += ["--marks", ",".join(map(str, marks))] if marks else []
    options += ["--judged", 1] if judged else []
    said = tool("send", *options)
    if said["conflict"] or said["invalid"]:
        raise RuntimeError(f"{load}: events were refused: {said}")
    return said


def fresh(folder, now=NOW, **more):
    """A daemon on a folder of its own, which stays when it is stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    return Daemon(now=now, folder=folder, **more)


def database_files(folder):
    """All that is the database, and nothing that a running daemon only needs for itself."""
    return [path for path in folder.glob("pathway.*") if path.is_file() and path.suffix not in (".lock", ".sock")
            and not path.name.endswith("-shm")]


def clone(source, folder, now=NOW, **more):
    """A daemon on a copy of a stopped one's database."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in database_files(source):
        shutil.copy(path, folder / path.name)
    os.sync()  # else the disk is still at it when the clock starts
    return Daemon(now=now, folder=folder, **more)


def database_bytes(folder):
    """The database with its log, after whatever stopped the daemon."""
    return sum(path.stat().st_size for path in database_files(folder))


def resident(daemon):
    """Bytes in memory: (now, at most so far)."""
    with open(f"/proc/{daemon.process.pid}/status") as file:
        text = file.read()
    return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) * 1024 for name in ("VmRSS", "VmHWM"))
