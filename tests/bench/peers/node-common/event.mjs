// An event as it is kept in memory, and the order of events.
import { instant } from './time.mjs';

// The subjects that an event touches: its own, and every group and school that its data holds.
function touched(event) {
  const { subject, data } = event;
  const found = new Set([subject]);
  if (data.group) found.add(data.group);
  if (data.predecessor) found.add(data.predecessor);
  for (const school in data.attendance) found.add(school);
  return [...found];
}

export function readEvent(line) {
  const { source, id, type, subject, time, sequence = null, data } = JSON.parse(line);
  const event = { source, id, type, subject, time: instant(time), sequence, data, line };
  event.touches = touched(event);
  return event;
}

// By time, sequence (none first), source and id.
export function compare(a, b) {
  if (a.time !== b.time) return a.time - b.time;
  if (a.sequence !== b.sequence) return (a.sequence ?? '') < (b.sequence ?? '') ? -1 : 1;
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
