// The record of a school or a group: what is remembered, and how an event changes it.
// Records are plain JSON.
import { dayAfter, dayOf, midnight, yearOf } from './time.mjs';

export function emptyRecord(subject) {
  if (subject.startsWith('group/')) return { subject, kind: null, year: null, schools: [], meetings: {} };
  return {
    subject, registered: false, register: {}, succeededBy: null, staleUrn: false,
    committed: false, leads: [], specialists: [], waivers: [],
    phase: 'none', phaseSince: null, completed: false,
    yearsEntered: [], embeddedYears: [], sustainedYears: [],
    areas: {}, memberships: [], developmentYears: [],
    teachersMet: {}, observed: {}, visits: {}, focuses: {}, lastContact: null,
  };
}

export function add(list, value) {
  if (list.includes(value)) return false;
  list.push(value);
  return true;
}

const without = (list, value) => list.filter(v => v !== value);

export function enterPhase(s, phase, time) {
  if (s.phase !== phase) s.phaseSince = dayOf(time);
  s.phase = phase;
}

function contact(s, time) {
  const day = dayOf(time);
  if (s.lastContact === null || day > s.lastContact) s.lastContact = day;
}

// `as`: the schools as which it takes the event in: itself, or predecessors.
const SCHOOL = {
  'school.registered'(s, { data }) { s.registered = true; Object.assign(s.register, data); },
  'school.changed'(s, { data }) { Object.assign(s.register, data); },
  'school.closed'(s) { s.register.status = 'closed'; },
  'school.succeeded'(s, { subject }, as) {
    if (as.includes(subject)) {
      s.register.status = 'open';
    } else if (as[0] === s.subject) {
      s.succeededBy = subject;
      s.memberships = [];
    }
  },

  'programme.entered'(s, { data, time }) { add(s.yearsEntered, data.academic_year ?? yearOf(time)); },
  'phase.recorded'(s, { data, time }) {
    enterPhase(s, data.pathway_phase, time);
    if (s.phase === 'building' || s.phase === 'refinement') s.completed = true;
  },

  'specialist.appointed'(s, { data }) { add(s.specialists, data.person); },
  'specialist.stood_down'(s, { data }) { s.specialists = without(s.specialists, data.person); },
  'commitment.given'(s) { s.committed = true; },
  'commitment.withdrawn'(s) { s.committed = false; },
  'lead.named'(s, { data }) { add(s.leads, data.teacher); },
  'lead.stood_down'(s, { data }) { s.leads = without(s.leads, data.teacher); },
  'readiness.assessed'(s, { data }) { s.areas[data.area] = data.judgement; },

  'group.joined'(s, { data }) {
    s.memberships.push({ group: data.group, kind: data.kind, year: data.academic_year });
    if (data.kind === 'development') add(s.developmentYears, data.academic_year);
  },
  'group.left'(s, { data }) { s.memberships = s.memberships.filter(m => m.group !== data.group); },
  'school.visited'(s, { data, time }) {
    add(s.visits[data.academic_year] ??= [], data.term);
    contact(s, time);
  },
  'focus.worked'(s, { data }) { add(s.focuses[data.academic_year] ??= [], data.focus); },
  'contact.made'(s, { time }) { contact(s, time); },
  'group.met'(s, { data, time }, as) {
    for (const me of as) {
      if (!data.attendance[me]) continue;
      const teachers = new Set(data.attendance[me]).size;
      if (teachers > 0) contact(s, time);
      if (data.kind !== 'development') continue;
      const met = s.teachersMet[data.academic_year] ??= {};
      met[data.half_term] = Math.max(met[data.half_term] ?? 0, teachers);
      if (data.observation && teachers > 0) add(s.observed[data.academic_year] ??= [], data.half_term);
    }
  },

  'waiver.granted'(s, { data }) {
    s.waivers.push({ rule: data.rule, end: data.until ? midnight(dayAfter(data.until, 1)) : null });
  },
  'waiver.ended'(s, { data }) { s.waivers = s.waivers.filter(w => w.rule !== data.rule); },
};

const GROUP = {
  'group.formed'(g, { data }) { g.kind = data.kind; g.year = data.academic_year; },
  'group.joined'(g, { subject }) { add(g.schools, subject); },
  'group.left'(g, { subject }) { g.schools = without(g.schools, subject); },
  'group.met'(g, { data }) { add(g.meetings[data.academic_year] ??= [], data.half_term); },
};

// What may still be sent for a school that another one continues.
const WELCOME = ['school.registered', 'school.changed', 'school.closed', 'school.succeeded', 'event.voided'];

export function apply(record, event, as) {
  if (record.subject.startsWith('group/')) {
    GROUP[event.type]?.(record, event);
    return;
  }
  SCHOOL[event.type]?.(record, event, as);
  if (record.succeededBy && as[0] === record.subject && !WELCOME.includes(event.type)) record.staleUrn = true;
}
