// The events that a subject's record is folded from: those that stand, and those of the schools it continues.
import { compare } from './event.mjs';

// Does no void act on it? One acts on an earlier event of its own subject, if it stands itself.
const stands = (store, event) => !store.voidsOf(event).some(v =>
  v.subject === event.subject && compare(v, event) > 0 && stands(store, v));

// [{ event, as }] in event order. `path`: the school asked about, down to `subject`.
export function history(store, subject, now, before = null, path = [subject]) {
  const items = new Map();
  for (const event of store.eventsOf(subject)) {
    if (event.time > now || (before && compare(event, before) >= 0)) break;
    if (stands(store, event)) items.set(event.seq, { event, as: [subject] });
  }
  const successions = [...items.values()].map(item => item.event).filter(event =>
    event.type === 'school.succeeded' && event.subject === subject && !path.includes(event.data.predecessor));
  if (successions.length === 0) return [...items.values()];

  for (const succession of successions) {
    const { predecessor } = succession.data;
    for (const { event, as } of history(store, predecessor, now, succession, [...path, predecessor])) {
      const known = items.get(event.seq);
      if (!known) items.set(event.seq, { event, as });
      else if (known.as[0] !== subject) known.as = [...new Set([...known.as, ...as])];
    }
  }
  return [...items.values()].sort((a, b) => compare(a.event, b.event));
}
