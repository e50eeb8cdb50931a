// run EVENTS.ndjson --batch N --dir DIR --now TIME --decisions OUT.csv
import { closeSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { parseArgs } from 'node:util';
import { readEvent } from './event.mjs';
import { asOf } from './fold.mjs';
import { takeIn } from './ingest.mjs';
import { instant, midnight } from './time.mjs';

const OPTIONS = Object.fromEntries(['batch', 'dir', 'now', 'decisions'].map(name => [name, { type: 'string' }]));

function* lines(file) {
  const fd = openSync(file);
  const buffer = Buffer.alloc(1 << 20);
  const decoder = new StringDecoder();
  let rest = '';
  for (let n; (n = readSync(fd, buffer)) > 0;) {
    const parts = (rest + decoder.write(buffer.subarray(0, n))).split('\n');
    rest = parts.pop();
    yield* parts;
  }
  closeSync(fd);
  yield rest;
}

function* batches(file, size) {
  let batch = [];
  for (const line of lines(file)) {
    if (line.trim() === '') continue;
    batch.push(line);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

const quoted = text => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function csv(decisions) {
  const rows = ['subject,decision,value\n'];
  for (const [subject, name, value] of decisions) rows.push(`${subject},${name},${quoted(String(value ?? ''))}\n`);
  return rows.join('');
}

// `openStore(file, now)` keeps things, `decide(record, now)` gives the decisions, or a promise of them.
export async function main(openStore, decide) {
  const { values: options, positionals: [file] } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const now = options.now.includes('T') ? instant(options.now) : midnight(options.now);
  const database = join(options.dir, 'peer.db');
  const store = openStore(database, now);
  let events = 0;

  const start = process.hrtime.bigint();
  for (const batch of batches(file, Number(options.batch))) {
    store.begin();
    for (const { record, cause } of takeIn(store, batch.map(readEvent), now)) {
      const decisions = decide(asOf(record, now), now);
      store.publish(record.subject, decisions instanceof Promise ? await decisions : decisions, cause);
    }
    store.commit();
    events += batch.length;
  }
  store.finish();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;

  writeFileSync(options.decisions, csv(store.decisions()));
  const { changes } = store;
  store.close();
  console.log(JSON.stringify({ events, seconds, changes, database_bytes: statSync(database).size }));
}
