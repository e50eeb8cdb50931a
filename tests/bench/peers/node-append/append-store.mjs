// The append-only layout: a batch only adds rows behind the last ones. What is looked up by a key is kept in
// memory; records and decisions are written once, at the end.
import Database from 'better-sqlite3';
import { compare, readEvent } from '../node-common/event.mjs';
import { emptyRecord } from '../node-common/record.mjs';
import { decide } from '../node-common/rules.mjs';

const SCHEMA = `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
    time INTEGER NOT NULL, sequence TEXT, line TEXT NOT NULL);
  CREATE TABLE touch ( -- previous: the row of the event that touched this subject before
    row INTEGER PRIMARY KEY, subject TEXT NOT NULL, seq INTEGER NOT NULL, previous INTEGER);
  CREATE TABLE change (
    seq INTEGER PRIMARY KEY, subject TEXT NOT NULL, name TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,
    cause INTEGER NOT NULL);
  CREATE TABLE record (subject TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE decision (
    subject TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (subject, name)) WITHOUT ROWID;
`;

const keyOf = (source, id) => `${source}\n${id}`;

function addTo(map, key, value) {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

export class AppendStore {
  changes = 0;
  #seqs = new Map(); // of each event, by source and id
  #lastTouch = new Map(); // row, by subject
  #voids = new Map(); // events, by source and id of what they void
  #successors = new Map();
  #records = new Map();
  #decisions = new Map();

  constructor(file, now) {
    const db = this.db = new Database(file);
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 10000']) db.pragma(pragma);
    db.exec(SCHEMA);
    this.now = now;
    this.sql = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      addEvent: db.prepare(`INSERT INTO event (source, id, type, subject, time, sequence, line)
        VALUES (?, ?, ?, ?, ?, ?, ?)`),
      addTouch: db.prepare('INSERT INTO touch (subject, seq, previous) VALUES (?, ?, ?)'),
      addChange: db.prepare('INSERT INTO change (subject, name, old, new, cause) VALUES (?, ?, ?, ?, ?)'),
      event: db.prepare('SELECT seq, line FROM event WHERE seq = ?'),
      touch: db.prepare('SELECT t.previous, e.seq, e.line FROM touch t JOIN event e ON e.seq = t.seq WHERE t.row = ?'),
      addRecord: db.prepare('INSERT INTO record (subject, body) VALUES (?, ?)'),
      addDecision: db.prepare('INSERT INTO decision (subject, name, value) VALUES (?, ?, ?)'),
      allDecisions: db.prepare('SELECT subject, name, value FROM decision ORDER BY subject, name').raw(),
    };
  }

  begin() { this.sql.begin.run(); }
  commit() { this.sql.commit.run(); }

  append(event) {
    const { source, id, type, subject, time, sequence, line, data } = event;
    const key = keyOf(source, id);
    if (this.#seqs.has(key)) return false;
    event.seq = this.sql.addEvent.run(source, id, type, subject, time, sequence, line).lastInsertRowid;
    this.#seqs.set(key, event.seq);
    for (const touched of event.touches) {
      const { lastInsertRowid } = this.sql.addTouch.run(touched, event.seq, this.#lastTouch.get(touched) ?? null);
      this.#lastTouch.set(touched, lastInsertRowid);
    }
    if (type === 'event.voided') addTo(this.#voids, keyOf(data.source, data.id), event);
    if (type === 'school.succeeded') addTo(this.#successors, data.predecessor, subject);
    return true;
  }

  #read = row => Object.assign(readEvent(row.line), { seq: row.seq });

  find(source, id) {
    const seq = this.#seqs.get(keyOf(source, id));
    return seq ? this.#read(this.sql.event.get(seq)) : null;
  }
  eventsOf(subject) {
    const events = [];
    for (let row = this.#lastTouch.get(subject); row;) {
      const touch = this.sql.touch.get(row);
      events.push(this.#read(touch));
      row = touch.previous;
    }
    return events.sort(compare);
  }
  voidsOf({ source, id }) { return this.#voids.get(keyOf(source, id)) ?? []; }
  successorsOf(subject) { return this.#successors.get(subject) ?? []; }
  record(subject) { return this.#records.get(subject); }
  putRecord(record) { this.#records.set(record.subject, record); }

  publish(subject, decisions, cause) {
    const before = this.#decisions.get(subject) ?? decide(emptyRecord(subject), this.now);
    for (const name in decisions) {
      if (decisions[name] === before[name]) continue;
      this.sql.addChange.run(subject, name, JSON.stringify(before[name]), JSON.stringify(decisions[name]), cause);
      this.changes++;
    }
    this.#decisions.set(subject, decisions);
  }

  finish() {
    this.begin();
    for (const subject of [...this.#records.keys()].sort()) {
      this.sql.addRecord.run(subject, JSON.stringify(this.#records.get(subject)));
      const decisions = this.#decisions.get(subject);
      for (const name in decisions) this.sql.addDecision.run(subject, name, JSON.stringify(decisions[name]));
    }
    this.commit();
  }

  *decisions() {
    for (const [subject, name, value] of this.sql.allDecisions.iterate()) yield [subject, name, JSON.parse(value)];
  }

  close() { this.db.close(); }
}
