"""`verify` and `replay` can fail: whatever is changed in a database, one of them names it.

Copies of a small database each get one change: a value in a table, a row gone or put in, or a byte turned
over in the file itself.

PATHWAY_TAMPERS: rows tried for each column, besides the first and the last (1). PATHWAY_SEED: which (1).
"""

import os
import random
import shutil
import sqlite3
import unittest
from pathlib import Path
from unittest import mock

from daemon import PATIENCE_S, Daemon, binary, event, registered
from proof import complaint, rows
from support import await_wakes, number_from

TRIES = number_from("PATHWAY_TAMPERS", 1)
SEED = number_from("PATHWAY_SEED", 1)

# What the log is, and what is made from it.
TABLES = ["event_row", "event_key", "event_void", "event_succession", "event_commit_row", "commit_judged",
          "change_row", "subject_row", "watermark", "generation", "pack_file", "pack_text", "source_name",
          "type_name", "subject_name", "decision_name", "decision_layout"]
# These hold something only while much that came late is worked off, or when there are many events.
LAGGING = ["commit_judged", "event_key", "subject_row.causes"]
# A run of keys that is the last one is as if it were still to be written: it is made again from the events.
MADE_AGAIN = {"event_key": "first < (SELECT max(first) FROM event_key)"}
# What nobody can make again: no part of what is checked.
APART = ["meta", "plugin_state", "personal", "note", "cursor", "token", "quarantine", "sqlite_sequence"]
# For each table a row that does not belong there.
STRAY = {
    "event_row": "SELECT seq + 1, time, recorded, source, id || 'x', type, subject, sequence, actor, body, hash,"
                 " touches FROM event_row ORDER BY seq DESC LIMIT 1",
    "event_key": "SELECT last + 1, last + 1, CAST(substr(keys, 1, 8) AS BLOB) FROM event_key"
                 " ORDER BY first DESC LIMIT 1",
    "event_void": "VALUES (3, 'urn:test', 'c1')",
    "event_succession": "VALUES (3, 1, 2)",
    "event_commit_row": "SELECT number + 1, last + 1, last, recorded, generation FROM event_commit_row"
                        " ORDER BY number DESC LIMIT 1",
    "commit_judged": "VALUES (1, '[]')",
    "change_row": "SELECT seq + 1, recorded, generation, subject, decision, new, old, hub, cause FROM change_row"
                  " ORDER BY seq DESC LIMIT 1",
    "subject_row": "SELECT 9999, head, due, name, hub, former, layout, decisions, causes FROM subject_row LIMIT 1",
    "watermark": "SELECT number + 1, seq, feed, is_whole FROM watermark",
    "generation": "SELECT number + 1, digest, since FROM generation",
    "pack_file": "SELECT generation, path || 'x', digest FROM pack_file LIMIT 1",
    "pack_text": "VALUES (x'00', '')",
    "source_name": "VALUES (9999, 'x')",
    "type_name": "VALUES (9999, 'x')",
    "subject_name": "VALUES (9999, 'school/9')",
    "decision_name": "VALUES (9999, 'x')",
    "decision_layout": "VALUES (9999, 'x')",
}


def ordinary_world():
    """A little of everything that the tables hold in quiet times."""
    member = {"group": "group/g1", "kind": "development", "academic_year": "2025/26"}
    yield [registered(urn) for urn in (100001, 100002, 100003)]
    yield [event("commitment.given", "school/100001", {"by": "p.head"}, id="c1", sequence="2"),
           event("group.joined", "school/100001", member), event("group.joined", "school/100002", member),
           event("group.formed", "group/g1", {"kind": "development", "hub": "07", "academic_year": "2025/26"})]
    yield [event("event.voided", "school/100001", {"source": "urn:test", "id": "c1", "reason": "not so"},
                 time="2025-09-11T10:00:00Z")]
    yield [event("school.succeeded", "school/100004", {"predecessor": "school/100003"},
                 time="2025-10-01T00:00:00Z")]
    yield [event("lead.named", "school/100002", {"teacher": f"t{i}"}, id=f"l{i}", source="urn:other",
                 time=f"2025-09-0{i + 1}T00:00:00Z") for i in range(3)]
    yield [event("commitment.given", "school/100002", id="ahead", time="2027-01-01T00:00:00Z")]


def late_world():
    """A school with so many events that refolding it leaves the others for later, and runs of keys: for a daemon
    whose limits are small."""
    load = [event("contact.made", "school/1", {"group": "group/g9", "academic_year": "2017/18"}, id=f"load{i}",
                  time=f"2018-{i // 28 + 1:02d}-{i % 28 + 1:02d}T12:00:00Z") for i in range(180)]
    yield from (load[:50], load[50:110], load[110:])
    yield [event("lead.named", f"school/{n}", {"teacher": "t1"}, time="2017-10-01T00:00:00Z") for n in (1, 2, 3)]


def as_one_file(database):
    """Its journal taken in."""
    db = sqlite3.connect(database)
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()


def ordinary_database(daemon):
    daemon.start()
    for request in ordinary_world():
        daemon.send(request)
    assert daemon.stop() == 0, daemon.log()
    daemon.now = "2026-11-21T09:00:00Z"
    daemon.start()  # the clock has gone on: wakes
    await_wakes(daemon)
    assert daemon.stop() == 0, daemon.log()
    as_one_file(daemon.database)
    return daemon.database


def lagging_database(daemon):
    """Killed after the commit that leaves some of what came late for later."""
    crashing = os.environ.get("PATHWAYD_CRASHING", str(Path(binary("pathwayd")).parent / "pathwayd-crash"))
    daemon.environment = {"PATHWAYD_CRASH": "after commit:5"}  # the first one is of the rules
    with mock.patch.dict(os.environ, PATHWAYD=crashing):
        daemon.start()
    *load, late = late_world()
    for request in load:
        daemon.send(request)
    try:
        daemon.send(late)
    except OSError:
        pass
    daemon.process.wait(PATIENCE_S)
    as_one_file(daemon.database)
    return daemon.database


def lags(database):
    """Whether it was killed while something was left for later: the writer may have taken that in as well."""
    return bool(rows(database, "SELECT 1 FROM subject_row WHERE causes IS NOT NULL LIMIT 1"))


def lagging_daemon():
    for _ in range(100):
        daemon = Daemon()
        if lags(lagging_database(daemon)):
            return daemon
        daemon.close()
    raise AssertionError("the kill never fell between the late events and what they leave for later")


def positions(content, needle):
    at = content.find(needle)
    while at >= 0:
        yield at
        at = content.find(needle, at + 1)


class Tamper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemons = Daemon(now="2025-12-01T00:00:00Z"), lagging_daemon()
        cls.ordinary, cls.lagging = ordinary_database(cls.daemons[0]), cls.daemons[1].database
        cls.dice = random.Random(SEED)

    @classmethod
    def tearDownClass(cls):
        for d in cls.daemons:
            d.close()

    def source(self, *names):
        """The database that has something in a table, or in a table's column."""
        return self.lagging if names[0] in LAGGING or ".".join(names) in LAGGING else self.ordinary

    def copy(self, database):
        path = Path(database).with_name("copy.db")
        shutil.copyfile(database, path)
        return str(path)

    def changed(self, source, *statements):
        """A copy of a database with statements run that change it."""
        path = self.copy(source)
        db = sqlite3.connect(path)
        with db:
            for sql in statements:
                self.assertGreater(db.execute(sql).rowcount, 0, sql)
        db.close()
        return path

    def assert_named(self, path, what):
        self.assertTrue(complaint(path, "verify") or complaint(path, "replay"), f"nobody noticed: {what}")

    def columns(self, table):
        """(name, type, whether it may be NULL) of each."""
        return [(row[1], row[2], not row[3] and not row[5])
                for row in rows(self.ordinary, f"PRAGMA table_info({table})")]

    def keys(self, table):
        return [row[1] for row in rows(self.ordinary, f"PRAGMA table_info({table})") if row[5]]

    def some_rows(self, table, where="1", source=None):
        """The conditions true of single rows: the first, the last, others by chance."""
        quoted = ", ".join(f"quote({k})" for k in self.keys(table))
        found = rows(source or self.source(table), f"SELECT {quoted} FROM {table} WHERE {where} ORDER BY {quoted}")
        chosen = self.dice.sample(found, min(TRIES, len(found)))
        return [" AND ".join(f"{k} = {value}" for k, value in zip(self.keys(table), row))
                for row in sorted({*chosen, *found[:1], *found[-1:]})]

    def test_the_databases_themselves_are_well(self):
        for database in (self.ordinary, self.lagging):
            self.assertIsNone(complaint(database, "verify"))
            self.assertIsNone(complaint(database, "replay"))

    def test_the_lists_of_tables_are_whole(self):
        there = {name for name, in rows(self.ordinary, "SELECT name FROM sqlite_master WHERE type = 'table'")}
        self.assertEqual(there, set(TABLES + APART))
        self.assertEqual(set(STRAY), set(TABLES))
        for table in TABLES:
            for column in {name for name, _, _ in self.columns(table)} - {"actor"}:  # nobody has a token
                self.assertTrue(self.some_rows(table, f"{column} IS NOT NULL", self.source(table, column)),
                                f"{table}.{column} is empty")

    def test_a_value_that_is_changed_is_named_whatever_its_table_and_column(self):
        for table in TABLES:
            for column, kind, _ in self.columns(table):
                other = {"INTEGER": f"{column} + 1", "TEXT": f"{column} || 'x'", "ANY": f"{column} || ',1'",
                         "BLOB": f"CAST({column} || x'00' AS BLOB)"}[kind]
                source = self.source(table, column)
                for row in self.some_rows(table, f"{column} IS NOT NULL", source):
                    with self.subTest(table=table, column=column, row=row):
                        sql = f"UPDATE OR REPLACE {table} SET {column} = {other} WHERE {row}"
                        self.assert_named(self.changed(source, sql), sql)

    def test_a_null_that_gets_a_value_and_a_value_that_becomes_null_are_named(self):
        for table in TABLES:
            for column, kind, may_be_null in self.columns(table):
                value = {"INTEGER": "7", "TEXT": "'x'", "ANY": "1"}.get(kind)
                source = self.source(table, column)
                for was, becomes in (("NULL", value), ("NOT NULL", "NULL")):
                    for row in self.some_rows(table, f"{column} IS {was}", source) if may_be_null else []:
                        with self.subTest(table=table, column=column, row=row):
                            sql = f"UPDATE {table} SET {column} = {becomes} WHERE {row}"
                            self.assert_named(self.changed(source, sql), sql)

    def test_a_row_that_is_gone_is_named(self):
        for table in TABLES:
            for row in self.some_rows(table, MADE_AGAIN.get(table, "1")):
                with self.subTest(table=table, row=row):
                    sql = f"DELETE FROM {table} WHERE {row}"
                    self.assert_named(self.changed(self.source(table), sql), sql)

    def test_a_row_that_is_put_in_is_named(self):
        for table, row in STRAY.items():
            with self.subTest(table=table):
                sql = f"INSERT INTO {table} {row}"
                self.assert_named(self.changed(self.source(table), sql), sql)

    def test_events_that_change_places_are_named(self):
        path = self.changed(self.ordinary, *(f"UPDATE event_row SET seq = {after} WHERE seq = {before}"
                                           for before, after in ((2, -1), (3, 2), (-1, 3))))
        self.assert_named(path, "events 2 and 3 have changed places")

    def test_a_bit_that_is_turned_over_in_the_file_is_named(self):
        """In an event's body, and in the rules."""
        content = Path(self.ordinary).read_bytes()
        for needle in (b'"specversion"', b"function("):
            found = list(positions(content, needle))
            for at in self.dice.sample(found, min(5 * TRIES, len(found))):
                path = self.copy(self.ordinary)
                with open(path, "r+b") as file:
                    file.seek(at + 3)
                    file.write(bytes([content[at + 3] ^ 1 << self.dice.randint(0, 6)]))
                with self.subTest(at=at):
                    self.assert_named(path, f"byte {at + 3}")

    def test_an_index_that_does_not_fit_its_table_is_named(self):
        content = Path(self.ordinary).read_bytes()
        size = int.from_bytes(content[16:18], "big")
        for index, root in rows(self.ordinary, "SELECT name, rootpage FROM sqlite_master WHERE type = 'index'"
                                               " AND tbl_name IN ('subject_row', 'event_void', 'subject_name')"):
            path = self.copy(self.ordinary)
            last = root * size - 1  # the end of a row: they are laid down from a page's end
            with open(path, "r+b") as file:
                file.seek(last)
                file.write(bytes([content[last] ^ 1]))
            with self.subTest(index=index):
                self.assertIn("damaged", complaint(path, "verify") or "", index)


if __name__ == "__main__":
    unittest.main()
