"""The usual schema: tables with keys and indexes, all kept up in the transaction of the batch."""

import json
import sqlite3
from functools import lru_cache

from event import Event
from rules import decide_empty

SCHEMA = """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
        time INTEGER NOT NULL, sequence TEXT, line TEXT NOT NULL, UNIQUE (source, id));
    CREATE TABLE subject_event (
        subject TEXT NOT NULL, time INTEGER NOT NULL, seq INTEGER NOT NULL REFERENCES event,
        PRIMARY KEY (subject, time, seq)) WITHOUT ROWID;
    CREATE TABLE void (
        source TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL REFERENCES event,
        PRIMARY KEY (source, id, seq)) WITHOUT ROWID;
    CREATE TABLE succession (
        predecessor TEXT NOT NULL, successor TEXT NOT NULL, PRIMARY KEY (predecessor, successor)) WITHOUT ROWID;
    CREATE TABLE record (subject TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE decision (
        subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (subject, name)) WITHOUT ROWID;
    CREATE TABLE change (
        seq INTEGER PRIMARY KEY, subject TEXT NOT NULL, name TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,
        cause INTEGER NOT NULL REFERENCES event);
"""
PRAGMAS = ["journal_mode = WAL", "synchronous = FULL", "cache_size = -32768", "wal_autocheckpoint = 10000"]

as_json = lru_cache(None, typed=True)(json.dumps)  # of a decision: there are few different ones


class Store:
    def __init__(self, file, now):
        self.db = sqlite3.connect(file, isolation_level=None)
        for pragma in PRAGMAS:
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(SCHEMA)
        self.now = now
        self.changes = 0
        self.records = {}  # what the tables hold, as far as it has been used
        self.decisions = {}

    def append(self, event):
        """False for a duplicate."""
        added = self.db.execute(
            "INSERT INTO event (source, id, type, subject, time, sequence, line) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (event.source, event.id, event.type, event.subject, event.time, event.sequence, event.line))
        if added.rowcount == 0:
            return False
        event.seq = added.lastrowid
        self.db.executemany("INSERT INTO subject_event (subject, time, seq) VALUES (?, ?, ?)",
                            [(subject, event.time, event.seq) for subject in event.touches()])
        if event.type == "event.voided":
            self.db.execute("INSERT INTO void (source, id, seq) VALUES (?, ?, ?)",
                            (event.data["source"], event.data["id"], event.seq))
        elif event.type == "school.succeeded":
            self.db.execute("INSERT INTO succession (predecessor, successor) VALUES (?, ?) ON CONFLICT DO NOTHING",
                            (event.data["predecessor"], event.subject))
        return True

    def find(self, source, id):
        row = self.db.execute("SELECT line, seq FROM event WHERE source = ? AND id = ?", (source, id)).fetchone()
        return Event(*row) if row else None

    def events_of(self, subject):
        return [Event(*row) for row in self.db.execute(
            "SELECT e.line, e.seq FROM subject_event t JOIN event e ON e.seq = t.seq WHERE t.subject = ?"
            " ORDER BY t.time, e.sequence, e.source, e.id", (subject,))]

    def voids_of(self, event):
        return [Event(*row) for row in self.db.execute(
            "SELECT e.line, e.seq FROM void v JOIN event e ON e.seq = v.seq WHERE v.source = ? AND v.id = ?",
            (event.source, event.id))]

    def successors_of(self, subject):
        return [row[0] for row in self.db.execute("SELECT successor FROM succession WHERE predecessor = ?", (subject,))]

    def record(self, subject):
        if subject not in self.records:
            row = self.db.execute("SELECT body FROM record WHERE subject = ?", (subject,)).fetchone()
            if not row:
                return None
            self.records[subject] = json.loads(row[0])
        return self.records[subject]

    def put_record(self, record):
        self.records[record["subject"]] = record
        self.db.execute(
            "INSERT INTO record (subject, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            (record["subject"], json.dumps(record)))

    def stored_decisions(self, subject):
        if subject not in self.decisions:
            rows = self.db.execute("SELECT name, value FROM decision WHERE subject = ?", (subject,))
            self.decisions[subject] = {name: json.loads(value) for name, value in rows}
        return self.decisions[subject]

    def publish(self, subject, decisions, cause):
        """Store the decisions and tell what changed; a new subject is compared with an empty record."""
        stored = self.stored_decisions(subject)
        before = stored or decide_empty(subject, self.now)
        changed = [name for name, value in decisions.items() if value != before[name]]
        self.db.executemany(
            "INSERT INTO decision (subject, name, value) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value",
            [(subject, name, as_json(decisions[name])) for name in (changed if stored else decisions)])
        self.db.executemany(
            "INSERT INTO change (subject, name, old, new, cause) VALUES (?, ?, ?, ?, ?)",
            [(subject, name, as_json(before[name]), as_json(decisions[name]), cause) for name in changed])
        self.changes += len(changed)
        self.decisions[subject] = decisions

    def all_decisions(self):
        for subject, name, value in self.db.execute("SELECT subject, name, value FROM decision ORDER BY subject, name"):
            yield subject, name, json.loads(value)
