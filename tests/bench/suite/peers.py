"""Programs in other languages that do the same work: tests/bench/peers/NAME.

`NAME/run EVENTS --batch N --dir DIR --now TIME --decisions OUT.csv` takes the events in, N to a durable commit, judges
them, brings everything to TIME, writes the decisions, and prints {"events", "seconds", "changes", "database_bytes"}.
`NAME/setup`, if there, installs what it needs; `NAME/title` says what it is. A peer counts only when its decisions are
pathwayd's, byte for byte, all but next_step (a sentence for people).
"""

import subprocess
from pathlib import Path

from ingest import Round
from measure import Figures, say
from table import Row, Target
from tools import HEAVY_S, NOW, pathway, run

PEERS = Path(__file__).resolve().parents[1] / "peers"
BATCH = 1000


def found():
    return sorted(path.parent.name for path in PEERS.glob("*/run"))


def title_of(name):
    path = PEERS / name / "title"
    return path.read_text().splitlines()[0] if path.exists() else name


def is_append_only(name):
    return "append" in name


def set_up(name):
    """What is wrong, when it can not be installed."""
    setup = PEERS / name / "setup"
    if not setup.exists():
        return None
    say(f"{name}: setup")
    done = subprocess.run([str(setup)], capture_output=True, text=True, timeout=HEAVY_S)
    return None if done.returncode == 0 else "setup failed: " + last_line(done.stderr or done.stdout)


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:160] if lines else "it says nothing"


def expected(context):
    text = pathway("export", "decisions", "--at", NOW, "--database", context.prepared(context.load) / "pathway.db")
    return b"".join(line for line in text.splitlines(keepends=True) if b",next_step," not in line)


class Peer:
    def __init__(self, name):
        self.name, self.rates, self.ours = name, Figures(), Figures()
        self.fault = set_up(name)

    def measure(self, context, ours, decisions):
        """One run, beside a run of the daemon's; after a fault there are no more."""
        folder = context.new_folder("peer")
        folder.mkdir()
        out = context.folder / "peer.csv"
        out.unlink(missing_ok=True)
        try:
            said = run(PEERS / self.name / "run", context.load, "--batch", BATCH, "--dir", folder, "--now", NOW,
                       "--decisions", out)
        except (RuntimeError, OSError, subprocess.TimeoutExpired, ValueError) as why:
            self.fault = "failed: " + last_line(str(why))
            return
        self.fault = difference(out.read_bytes() if out.exists() else b"", decisions)
        if not self.fault:
            self.ours.add(ours)
            self.rates.add(said["events"] / said["seconds"])

    def row(self, target=None, title=None):
        title = title or f"in order, beside {title_of(self.name)}"
        if self.fault:
            return Row(title, "events/s", note=f"does not count: {self.fault}", target=target)
        return Row(title, "events/s", self.ours, self.rates, self.name, target)


def difference(ours, theirs):
    if ours == theirs:
        return None
    mine, others = set(ours.splitlines()), set(theirs.splitlines())
    return f"{len(mine ^ others) or 'no'} lines of its decisions differ from pathwayd's"


def best(peers):
    counted = [peer for peer in peers if not peer.fault and not is_append_only(peer.name)]
    return max(counted, key=lambda peer: peer.rates.median, default=None)


def rows(context, wanted):
    peers = [Peer(name) for name in found() if wanted(name)]
    for turn in range(context.times if peers else 0):
        ours = Round(context).in_order
        decisions = expected(context)
        for peer in (p for p in peers if not p.fault):
            peer.measure(context, ours, decisions)
            say(f"{peer.name}: {peer.fault or f'{peer.rates.values[-1]:,.0f} events/s'}; pathwayd {ours:,.0f}")
    told = [peer.row(Target("≥ 1.5 of it", 1.5, at_least=True) if peer.name == "node-append" else None)
            for peer in peers]
    fastest = best(peers)
    if fastest:
        told.append(fastest.row(Target("≥ 6 of it", 6, at_least=True),
                                f"in order, beside the best peer in a usual schema ({fastest.name})"))
    return told
