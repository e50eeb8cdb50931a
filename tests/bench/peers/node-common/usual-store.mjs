// The usual schema: tables with keys and indexes, all kept up in the transaction of the batch.
import Database from 'better-sqlite3';
import { readEvent } from './event.mjs';
import { emptyRecord } from './record.mjs';
import { decide } from './rules.mjs';

const SCHEMA = `
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
`;

const PRAGMAS = ['journal_mode = WAL', 'synchronous = FULL', 'cache_size = -32768', 'wal_autocheckpoint = 10000'];

export class UsualStore {
  changes = 0;
  #records = new Map(); // what the tables hold, as far as it has been used
  #decisions = new Map();

  constructor(file, now) {
    const db = this.db = new Database(file);
    for (const pragma of PRAGMAS) db.pragma(pragma);
    db.exec(SCHEMA);
    this.now = now;
    this.sql = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      addEvent: db.prepare(`INSERT INTO event (source, id, type, subject, time, sequence, line)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
      addTouch: db.prepare('INSERT INTO subject_event (subject, time, seq) VALUES (?, ?, ?)'),
      addVoid: db.prepare('INSERT INTO void (source, id, seq) VALUES (?, ?, ?)'),
      addSuccession: db.prepare('INSERT INTO succession (predecessor, successor) VALUES (?, ?) ON CONFLICT DO NOTHING'),
      find: db.prepare('SELECT seq, line FROM event WHERE source = ? AND id = ?'),
      eventsOf: db.prepare(`SELECT e.seq, e.line FROM subject_event t JOIN event e ON e.seq = t.seq
        WHERE t.subject = ? ORDER BY t.time, e.sequence, e.source, e.id`),
      voidsOf: db.prepare(`SELECT e.seq, e.line FROM void v JOIN event e ON e.seq = v.seq
        WHERE v.source = ? AND v.id = ?`),
      successorsOf: db.prepare('SELECT successor FROM succession WHERE predecessor = ?').pluck(),
      record: db.prepare('SELECT body FROM record WHERE subject = ?').pluck(),
      putRecord: db.prepare(`INSERT INTO record (subject, body) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET body = excluded.body`),
      decisions: db.prepare('SELECT name, value FROM decision WHERE subject = ?').raw(),
      allDecisions: db.prepare('SELECT subject, name, value FROM decision ORDER BY subject, name').raw(),
      putDecision: db.prepare(`INSERT INTO decision (subject, name, value) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value`),
      addChange: db.prepare('INSERT INTO change (subject, name, old, new, cause) VALUES (?, ?, ?, ?, ?)'),
    };
  }

  begin() { this.sql.begin.run(); }
  commit() { this.sql.commit.run(); }
  finish() {}

  append(event) {
    const { source, id, type, subject, time, sequence, line, data } = event;
    const added = this.sql.addEvent.run(source, id, type, subject, time, sequence, line);
    if (added.changes === 0) return false;
    event.seq = added.lastInsertRowid;
    for (const touched of event.touches) this.sql.addTouch.run(touched, time, event.seq);
    if (type === 'event.voided') this.sql.addVoid.run(data.source, data.id, event.seq);
    if (type === 'school.succeeded') this.sql.addSuccession.run(data.predecessor, subject);
    return true;
  }

  #read = row => Object.assign(readEvent(row.line), { seq: row.seq });

  find(source, id) {
    const row = this.sql.find.get(source, id);
    return row ? this.#read(row) : null;
  }
  eventsOf(subject) { return this.sql.eventsOf.all(subject).map(this.#read); }
  voidsOf({ source, id }) { return this.sql.voidsOf.all(source, id).map(this.#read); }
  successorsOf(subject) { return this.sql.successorsOf.all(subject); }

  record(subject) {
    let record = this.#records.get(subject);
    if (!record) {
      const body = this.sql.record.get(subject);
      if (body) this.#records.set(subject, record = JSON.parse(body));
    }
    return record;
  }
  putRecord(record) {
    this.#records.set(record.subject, record);
    this.sql.putRecord.run(record.subject, JSON.stringify(record));
  }

  // The decisions stored; those of an empty record for a subject of which there are none.
  #before(subject) {
    const stored = this.#decisions.get(subject) ?? Object.fromEntries(
      this.sql.decisions.all(subject).map(([name, value]) => [name, JSON.parse(value)]));
    const isNew = Object.keys(stored).length === 0;
    return { isNew, before: isNew ? decide(emptyRecord(subject), this.now) : stored };
  }

  publish(subject, decisions, cause) {
    const { isNew, before } = this.#before(subject);
    for (const name in decisions) {
      const hasChanged = decisions[name] !== before[name];
      if (!hasChanged && !isNew) continue;
      const value = JSON.stringify(decisions[name]);
      this.sql.putDecision.run(subject, name, value);
      if (!hasChanged) continue;
      this.sql.addChange.run(subject, name, JSON.stringify(before[name]), value, cause);
      this.changes++;
    }
    this.#decisions.set(subject, decisions);
  }

  *decisions() {
    for (const [subject, name, value] of this.sql.allDecisions.iterate()) yield [subject, name, JSON.parse(value)];
  }

  close() { this.db.close(); }
}
