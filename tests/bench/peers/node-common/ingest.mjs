// One batch of events: append them, and bring the record of every subject that they touch up to date.
//
// The store must have: append(event) (false for a duplicate), find(source, id), eventsOf(subject) in event
// order, voidsOf(event), successorsOf(subject), record(subject), putRecord(record).
import { compare } from './event.mjs';
import { fold, isInOrder, take } from './fold.mjs';
import { history } from './history.mjs';
import { emptyRecord } from './record.mjs';

// What a void reaches: the subjects of its target, and if that is a void, of its target, and so on.
function* reach(store, event) {
  const seen = new Set();
  while (event && !seen.has(event.seq)) {
    seen.add(event.seq);
    yield* event.touches;
    event = event.type === 'event.voided' ? store.find(event.data.source, event.data.id) : null;
  }
}

class Touched extends Map {
  at(subject, event) {
    let entry = this.get(subject);
    if (!entry) this.set(subject, entry = { events: [], mustRefold: false, cause: null });
    entry.cause = event.seq;
    return entry;
  }

  addEvent(store, event) {
    const isSpecial = event.type === 'event.voided' || event.type === 'school.succeeded'
      || store.voidsOf(event).length > 0;
    if (isSpecial) for (const subject of reach(store, event)) this.at(subject, event).mustRefold = true;
    else for (const subject of event.touches) this.at(subject, event).events.push(event);
  }

  // The schools that continue a school which is touched are folded anew, and those that continue them. (A
  // Map shows what is added while it is walked.)
  addSuccessors(store) {
    for (const [subject, { cause }] of this)
      for (const successor of store.successorsOf(subject)) this.at(successor, { seq: cause }).mustRefold = true;
  }
}

function bringUp(store, subject, { events, mustRefold }, now) {
  if (!mustRefold) {
    events = events.filter(event => event.time <= now).sort(compare);
    if (events.length === 0) return null;
    const record = store.record(subject) ?? emptyRecord(subject);
    if (isInOrder(record, events[0])) {
      for (const event of events) take(record, event, [subject]);
      return record;
    }
  }
  const items = history(store, subject, now);
  const hasBegun = items.length > 0 || store.eventsOf(subject).some(event => event.time <= now);
  return hasBegun ? fold(subject, items) : null;
}

// [{ record, cause }] of the subjects touched; cause is the seq of the last event behind it.
export function takeIn(store, events, now) {
  const touched = new Touched();
  const changed = [];

  for (const event of events) if (store.append(event)) touched.addEvent(store, event);
  touched.addSuccessors(store);
  for (const [subject, entry] of touched) {
    const record = bringUp(store, subject, entry, now);
    if (!record) continue;
    store.putRecord(record);
    changed.push({ record, cause: entry.cause });
  }
  return changed;
}
