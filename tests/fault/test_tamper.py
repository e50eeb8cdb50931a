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

from daemon import Daemon, binary, event, registered
from proof import complaint, rows
from support import await_wakes, number_from

TRIES = number_from("PATHWAY_TAMPERS", 1)
SEED = number_from("PATHWAY_SEED", 1)

# What the log is, and what is made from it.
TABLES = ["event_row", "event_key", "event_void", "event_commit_row", "commit_judged", "subject_event_row",
          "subject_head", "change_row", "decision_row", "subject", "wake_row", "pending", "generation",
          "pack_file", "pack_text", "source_name", "type_name", "subject_name", "decision_name"]
# These are filled only while much that came late is worked off.
LAGGING = ["commit_judged", "pending"]
# What nobody can make again: no part of what is checked.
APART = ["meta", "personal", "note", "cursor", "token", "quarantine", "sqlite_sequence"]
# For each table a row that does not belong there.
STRAY = {
    "event_row": "SELECT seq + 1, time, recorded, source, id || 'x', type, subject, sequence, actor, body, hash"
                 " FROM event_row ORDER BY seq DESC LIMIT 1",
    "event_key": "VALUES (999999, 1)",
    "event_void": "VALUES (3, 'urn:test', 'c1')",
    "event_commit_row": "SELECT number + 1, last + 1, last, recorded, generation FROM event_commit_row"
                        " ORDER BY number DESC LIMIT 1",
    "commit_judged": "VALUES (1, '[]')",
    "subject_event_row": "SELECT max(row) + 1, 1, NULL FROM subject_event_row",
    "subject_head": "VALUES (9999, 1, 1)",
    "change_row": "SELECT seq + 1, recorded, generation, subject, decision, new, old, hub, cause FROM change_row"
                  " ORDER BY seq DESC LIMIT 1",
    "decision_row": "SELECT 9999, name, value FROM decision_row LIMIT 1",
    "subject": "VALUES ('school/9', 9999, NULL, NULL, NULL)",
    "wake_row": "VALUES ('school/9', 1900000000000000)",
    "pending": "VALUES ('school/9', '')",
    "generation": "SELECT number + 1, digest, since FROM generation",
    "pack_file": "SELECT generation, path || 'x', digest FROM pack_file LIMIT 1",
    "pack_text": "VALUES (x'00', '')",
    "source_name": "VALUES (9999, 'x')",
    "type_name": "VALUES (9999, 'x')",
    "subject_name": "VALUES (9999, 'school/9')",
    "decision_name": "VALUES (9999, 'x')",
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
    """A school with so many events that refolding it leaves the others for later."""
    yield [event("contact.made", "school/1", {"group": "group/g9", "academic_year": "2017/18"}, id=f"load{i}",
                 time=f"2018-01-{i % 28 + 1:02d}T{i % 24:02d}:{i % 60:02d}:00Z") for i in range(3999)]
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
    daemon.environment = {"PATHWAYD_CRASH": "after commit:3"}
    with mock.patch.dict(os.environ, PATHWAYD=crashing):
        daemon.start()
    load, late = late_world()
    daemon.send(load)
    try:
        daemon.send(late)
    except OSError:
        pass
    daemon.process.wait(60)
    as_one_file(daemon.database)
    return daemon.database


def positions(content, needle):
    at = content.find(needle)
    while at >= 0:
        yield at
        at = content.find(needle, at + 1)


class Tamper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemons = Daemon(now="2025-12-01T00:00:00Z"), Daemon()
        cls.ordinary, cls.lagging = ordinary_database(cls.daemons[0]), lagging_database(cls.daemons[1])
        cls.dice = random.Random(SEED)

    @classmethod
    def tearDownClass(cls):
        for d in cls.daemons:
            d.close()

    def source(self, table):
        return self.lagging if table in LAGGING else self.ordinary

    def copy(self, database):
        path = Path(database).with_name("copy.db")
        shutil.copyfile(database, path)
        return str(path)

    def changed(self, table, *statements):
        """A copy of a database that has something in this table, with statements run that change it."""
        path = self.copy(self.source(table))
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

    def some_rows(self, table, where="1"):
        """The conditions true of single rows: the first, the last, others by chance."""
        quoted = ", ".join(f"quote({k})" for k in self.keys(table))
        found = rows(self.source(table), f"SELECT {quoted} FROM {table} WHERE {where} ORDER BY {quoted}")
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
            self.assertTrue(self.some_rows(table), f"{table} is empty")

    def test_a_value_that_is_changed_is_named_whatever_its_table_and_column(self):
        for table in TABLES:
            for column, kind, _ in self.columns(table):
                other = {"INTEGER": f"{column} + 1", "TEXT": f"{column} || 'x'",
                         "BLOB": f"CAST({column} || x'00' AS BLOB)"}[kind]
                for row in self.some_rows(table, f"{column} IS NOT NULL"):
                    with self.subTest(table=table, column=column, row=row):
                        sql = f"UPDATE OR REPLACE {table} SET {column} = {other} WHERE {row}"
                        self.assert_named(self.changed(table, sql), sql)

    def test_a_null_that_gets_a_value_and_a_value_that_becomes_null_are_named(self):
        for table in TABLES:
            for column, kind, may_be_null in self.columns(table):
                value = {"INTEGER": "7", "TEXT": "'x'"}.get(kind)
                for was, becomes in (("NULL", value), ("NOT NULL", "NULL")):
                    for row in self.some_rows(table, f"{column} IS {was}") if may_be_null else []:
                        with self.subTest(table=table, column=column, row=row):
                            sql = f"UPDATE {table} SET {column} = {becomes} WHERE {row}"
                            self.assert_named(self.changed(table, sql), sql)

    def test_a_row_that_is_gone_is_named(self):
        for table in TABLES:
            for row in self.some_rows(table):
                with self.subTest(table=table, row=row):
                    sql = f"DELETE FROM {table} WHERE {row}"
                    self.assert_named(self.changed(table, sql), sql)

    def test_a_row_that_is_put_in_is_named(self):
        for table, row in STRAY.items():
            with self.subTest(table=table):
                sql = f"INSERT INTO {table} {row}"
                self.assert_named(self.changed(table, sql), sql)

    def test_events_that_change_places_are_named(self):
        path = self.changed("event_row", *(f"UPDATE event_row SET seq = {after} WHERE seq = {before}"
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
                                               " AND tbl_name IN ('wake_row', 'event_void', 'subject_name')"):
            path = self.copy(self.ordinary)
            last = root * size - 1  # the end of a row: they are laid down from a page's end
            with open(path, "r+b") as file:
                file.seek(last)
                file.write(bytes([content[last] ^ 1]))
            with self.subTest(index=index):
                self.assertIn("damaged", complaint(path, "verify") or "", index)


if __name__ == "__main__":
    unittest.main()
