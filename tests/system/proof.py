"""What must hold of every database, however it came about: asked of the file, with a daemon on it or none."""

import json
import sqlite3

from support import tool


def snapshot(database, *questions):
    """All rows of each question to the file, which is only read, all of one moment: a commit that was cut off just
    before it showed may show any time later."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None, timeout=60)
    try:
        db.execute("BEGIN")
        return [db.execute(sql).fetchall() for sql in questions]
    finally:
        db.close()


def rows(database, sql):
    """All rows of a question to the file, which is only read."""
    return snapshot(database, sql)[0]


def key(event):
    return event["source"], event["id"]


def logged_keys(database):
    """The (source, id) of each event in the log, in its order."""
    return rows(database, "SELECT s.text, e.id FROM event_row e JOIN source_name s ON s.id = e.source ORDER BY e.seq")


def complaint(database, question):
    """What `pathway verify` or `pathway replay` finds wrong; None when nothing is."""
    done = tool(question, "--database", database, "--json")
    if done.returncode == 0 and json.loads(done.stdout)["ok"] is True:
        return None
    return done.stdout + done.stderr or f"{question} exits {done.returncode} and says nothing"


def feed_fault(database):
    """What is wrong with the feed, or with the decisions that it should come to; None when nothing is."""
    state, first, stored = {}, {}, {}
    ((mark, is_whole),), feed, decisions = snapshot(
        database, "SELECT feed, is_whole FROM watermark",
        "SELECT seq, subject, decision, old, new FROM change ORDER BY seq",
        "SELECT subject, decision, value FROM decision")
    for place, (seq, subject, decision, old, new) in enumerate(feed, 1):
        if seq != place:
            return f"entry {seq} stands at place {place}"
        kind = subject.split("/")[0], decision
        before = state.get((subject, decision), first.setdefault(kind, old))
        if old != before or old == new:
            return f"entry {seq}, {decision} of {subject}: from {old} to {new}, after {before}"
        state[subject, decision] = new
        if seq <= mark:  # where the tables stand
            stored[subject, decision] = {new}
        elif not is_whole:  # ... or some of their rows beyond
            stored.setdefault((subject, decision), {before}).add(new)
    for subject, decision, value in decisions:
        known = stored.get((subject, decision)) or {first.get((subject.split("/")[0], decision), value)}
        if value not in known:
            return f"{decision} of {subject} is {value}, the feed says {known} where the tables stand"
    return None


def fault(database):
    """The first thing that is wrong with a database; None when nothing is."""
    return complaint(database, "verify") or complaint(database, "replay") or feed_fault(database)
