// Folding: events in order, and how a school moves along the pathway by itself.
import { compare } from './event.mjs';
import { add, apply, emptyRecord, enterPhase } from './record.mjs';
import {
  ORDER, PARAMS, eligibleBuilding, eligibleDevelopment, eligiblePreparatory, eligibleRefinement, meetingsCounted,
  running, visitsCounted, yearOver,
} from './rules.mjs';
import { inYear, septembers, yearOf } from './time.mjs';

const hasCompleted = (s, now) => ORDER[s.phase] >= ORDER.development && s.developmentYears.some(year =>
  yearOver(year, now) && meetingsCounted(s, year) >= PARAMS.meetingsNeeded
    && visitsCounted(s, year) >= PARAMS.visitsNeeded);

// The running memberships of a kind add their years; did any?
function gather(years, s, kind, now) {
  let grown = false;
  for (const m of s.memberships) if (m.kind === kind && inYear(m.year, now) && add(years, m.year)) grown = true;
  return grown;
}

function nextPhase(s, now) {
  if (s.phase !== 'refinement' && running(s, 'sustaining', now) && eligibleRefinement(s, now)) return 'refinement';
  if (s.phase === 'development' && running(s, 'embedding', now) && eligibleBuilding(s, now)) return 'building';
  if (ORDER[s.phase] < ORDER.development && running(s, 'development', now) && eligibleDevelopment(s, now))
    return 'development';
  if (s.phase === 'none' && running(s, 'readiness', now) && eligiblePreparatory(s, now)) return 'preparatory';
  return null;
}

// Take the steps again and again until nothing changes.
function ask(s, now) {
  for (let moved = true; moved;) {
    moved = false;
    if (!s.completed && hasCompleted(s, now)) s.completed = moved = true;
    if (ORDER[s.phase] >= ORDER.building && gather(s.embeddedYears, s, 'embedding', now)) moved = true;
    if (s.phase === 'refinement' && gather(s.sustainedYears, s, 'sustaining', now)) moved = true;
    const phase = nextPhase(s, now);
    if (phase) {
      enterPhase(s, phase, now);
      if (phase === 'development') add(s.yearsEntered, yearOf(now));
      moved = true;
    }
  }
}

// Time alone moves a school only when an academic year begins: that a waiver runs out lets nothing happen.
function pass(s, to) {
  for (const begin of septembers(s.last.time, to)) ask(s, begin);
}

export function take(record, event, as) {
  const isSchool = record.subject.startsWith('school/');
  if (isSchool && record.last) pass(record, event.time);
  apply(record, event, as);
  if (isSchool) ask(record, event.time);
  record.last = { time: event.time, sequence: event.sequence, source: event.source, id: event.id };
}

export const isInOrder = (record, event) => !record.last || compare(event, record.last) > 0;

// The record as it is now; the one given stays as it was after its last event.
export function asOf(record, now) {
  if (!record.last || !record.subject.startsWith('school/')) return record;
  const copy = {
    ...record, yearsEntered: [...record.yearsEntered], embeddedYears: [...record.embeddedYears],
    sustainedYears: [...record.sustainedYears],
  };
  pass(copy, now + 1);
  return copy;
}

export function fold(subject, items) {
  const record = emptyRecord(subject);
  for (const { event, as } of items) take(record, event, as);
  return record;
}
