// What is decided about a school and a group at a moment.
import { academicYear, dayAfter, inYear, memo, midnight, yearOf } from './time.mjs';

export const PARAMS = {
  leadsNeeded: 2, meetingsNeeded: 5, visitsNeeded: 3, buildingYearsNeeded: 1,
  enteredFrom: '2015/16', enteredTo: '2018/19', graceDays: 14, contactDays: 90, groupMin: 6, groupMax: 7,
};
export const AREAS = [
  'vision_and_culture', 'mathematical_mindsets', 'subject_expertise', 'school_systems', 'arithmetical_proficiency',
];
export const ORDER = { none: 0, preparatory: 1, development: 2, building: 3, refinement: 4 };
export const PHASE_OF = { readiness: 1, development: 2, embedding: 3, sustaining: 4 };
export const PRIMARY = ['primary', 'infant', 'junior', 'first', 'middle', 'all_through'];
const HALF_TERMS = [1, 2, 3, 4, 5, 6];
const TERMS = [1, 2, 3];

export const waived = (s, rule, now) => s.waivers.some(w => w.rule === rule && (w.end === null || now < w.end));
export const earliest = years => years.reduce((a, b) => (a !== null && a < b ? a : b), null);

// The moments from which each half term and term counts as overdue.
const overdue = memo(label => {
  const { halfTermEnds } = academicYear(label);
  const halfTerms = halfTermEnds.map(day => midnight(dayAfter(day, PARAMS.graceDays)));
  return { halfTerms, terms: [halfTerms[1], halfTerms[3], halfTerms[5]] };
});

// ---- school ----

export function belowSecure(s) {
  let count = 0;
  for (const area in s.areas) if (s.areas[area] !== 'secure') count++;
  return count;
}
export function areasSecure(s) {
  let count = 0;
  for (const area in s.areas) if (s.areas[area] === 'secure') count++;
  return count;
}

export const isOpen = (s, now) => waived(s, 'is_open', now)
  || (s.registered && (s.register.status === 'open' || s.register.status === 'proposed_to_close'));
export const isPrimary = s => PRIMARY.includes(s.register.education_phase);
export const committed = (s, now) => waived(s, 'committed', now) || s.committed;
export const twoLeads = (s, now) => waived(s, 'two_leads', now) || s.leads.length >= PARAMS.leadsNeeded;
export const ready = (s, now) => waived(s, 'ready', now)
  || (belowSecure(s) === 0 && (s.phase !== 'preparatory' || areasSecure(s) === AREAS.length));
export const developmentComplete = (s, now) => waived(s, 'development_complete', now) || s.completed;

const beforeDevelopment = s => s.phase === 'none' || s.phase === 'preparatory';
export const eligiblePreparatory = (s, now) => waived(s, 'eligible_preparatory', now)
  || (beforeDevelopment(s) && belowSecure(s) > 0 && isPrimary(s) && isOpen(s, now) && committed(s, now));
export const eligibleDevelopment = (s, now) => waived(s, 'eligible_development', now)
  || (beforeDevelopment(s) && isPrimary(s) && isOpen(s, now) && committed(s, now) && twoLeads(s, now) && ready(s, now));
export const eligibleBuilding = (s, now) => waived(s, 'eligible_building', now)
  || (isOpen(s, now) && developmentComplete(s, now));
export const eligibleRefinement = (s, now) => waived(s, 'eligible_refinement', now)
  || (isOpen(s, now) && (enteredEarly(s) || buildingYears(s, now) >= PARAMS.buildingYearsNeeded
    || s.specialists.length > 0));

export const entered = s => earliest(s.yearsEntered);
function enteredEarly(s) {
  const year = entered(s);
  return year !== null && year >= PARAMS.enteredFrom && year <= PARAMS.enteredTo;
}
export const buildingYears = (s, now) => s.embeddedYears.filter(year => now >= academicYear(year).end).length;
export const buildingFocuses = s => new Set(s.embeddedYears.flatMap(year => s.focuses[year] ?? [])).size;

// The latest that has begun; if none has, the earliest.
export function developmentYear(s, now) {
  let found = null;
  for (const year of s.developmentYears)
    if (now >= academicYear(year).start && (found === null || year > found)) found = year;
  return found ?? earliest(s.developmentYears);
}
export function attendance(s, year) {
  if (year === null) return null;
  const met = s.teachersMet[year] ?? {};
  return HALF_TERMS.map(h => {
    const teachers = met[h];
    return teachers === undefined ? '-' : teachers >= PARAMS.leadsNeeded ? '2' : teachers >= 1 ? '1' : '0';
  }).join('');
}
export function meetingsCounted(s, year) {
  let count = 0;
  for (const h in s.teachersMet[year]) if (s.teachersMet[year][h] >= PARAMS.leadsNeeded) count++;
  return count;
}
export const visitsCounted = (s, year) => s.visits[year]?.length ?? 0;

// ---- what alerts ask ----

export const running = (s, kind, now) => s.memberships.some(m => m.kind === kind && inYear(m.year, now));
export const inGroup = (s, kind, year) => s.memberships.some(m => m.kind === kind && m.year === year);
export const overdueMarks = (year, shown, now) => [...shown].filter((_, i) => now >= overdue(year).halfTerms[i]);
export const visitOverdue = (s, year, now) =>
  TERMS.some(t => !s.visits[year]?.includes(t) && now >= overdue(year).terms[t - 1]);
export const yearOver = (year, now) => year !== null && now >= academicYear(year).end;
export const outOfOrder = (s, now) =>
  s.memberships.some(m => PHASE_OF[m.kind] > ORDER[s.phase] && inYear(m.year, now));
export const outOfContact = (s, now) => s.memberships.some(m => {
  if ((m.kind !== 'development' && m.kind !== 'embedding') || !inYear(m.year, now)) return false;
  const { firstDay } = academicYear(m.year);
  const since = s.lastContact !== null && s.lastContact > firstDay ? s.lastContact : firstDay;
  return now >= midnight(dayAfter(since, PARAMS.contactDays));
});
export function sustainingLapsed(s, now) {
  if (s.phase !== 'refinement') return false;
  const year = yearOf(now);
  return now >= midnight(`${year.slice(0, 4)}-11-01`) && !s.sustainedYears.includes(year);
}

function schoolDecisions(s, now) {
  const year = developmentYear(s, now);
  const shown = attendance(s, year);
  const isDeveloping = s.phase === 'development' && year !== null && inYear(year, now)
    && inGroup(s, 'development', year);
  const marks = isDeveloping ? overdueMarks(year, shown, now) : [];
  return {
    areas_secure: areasSecure(s),
    building_focuses: buildingFocuses(s),
    building_years: buildingYears(s, now),
    committed: committed(s, now),
    development_attendance: shown,
    development_complete: developmentComplete(s, now),
    development_incomplete: s.phase === 'development' && yearOver(year, now) && !developmentComplete(s, now),
    development_meetings: meetingsCounted(s, year),
    development_observations: s.observed[year]?.length ?? 0,
    development_visits: visitsCounted(s, year),
    development_year: year,
    eligible_building: eligibleBuilding(s, now),
    eligible_development: eligibleDevelopment(s, now),
    eligible_preparatory: eligiblePreparatory(s, now),
    eligible_refinement: eligibleRefinement(s, now),
    entered: entered(s),
    is_open: isOpen(s, now),
    is_primary: isPrimary(s),
    last_contact: s.lastContact,
    lead_missing: isDeveloping && !twoLeads(s, now),
    meeting_missed: marks.includes('0') || marks.includes('1'),
    meeting_unrecorded: marks.includes('-'),
    out_of_contact: outOfContact(s, now),
    out_of_order: outOfOrder(s, now),
    pathway_phase: s.phase,
    phase_since: s.phaseSince,
    readiness_arithmetical_proficiency: s.areas.arithmetical_proficiency ?? 'not_assessed',
    readiness_mathematical_mindsets: s.areas.mathematical_mindsets ?? 'not_assessed',
    readiness_school_systems: s.areas.school_systems ?? 'not_assessed',
    readiness_subject_expertise: s.areas.subject_expertise ?? 'not_assessed',
    readiness_vision_and_culture: s.areas.vision_and_culture ?? 'not_assessed',
    ready: ready(s, now),
    stale_urn: s.staleUrn,
    succeeded_by: s.succeededBy,
    sustaining_lapsed: sustainingLapsed(s, now),
    sustaining_years: s.sustainedYears.length,
    two_leads: twoLeads(s, now),
    visit_overdue: isDeveloping && visitOverdue(s, year, now),
  };
}

// ---- group ----

export const groupMeetings = g => (g.year === null
  ? Object.values(g.meetings).reduce((sum, halfTerms) => sum + halfTerms.length, 0)
  : g.meetings[g.year]?.length ?? 0);
export const groupMeetingOverdue = (g, now) =>
  HALF_TERMS.some(h => !g.meetings[g.year]?.includes(h) && now >= overdue(g.year).halfTerms[h - 1]);

function groupDecisions(g, now) {
  const isDevelopment = g.kind === 'development';
  return {
    group_meeting_missed: isDevelopment && inYear(g.year, now) && groupMeetingOverdue(g, now),
    group_meetings: groupMeetings(g),
    group_schools: g.schools.length,
    group_size_ok: !isDevelopment || (g.schools.length >= PARAMS.groupMin && g.schools.length <= PARAMS.groupMax),
  };
}

const BY_KIND = { school: schoolDecisions, group: groupDecisions, hub: () => ({}) };
export const kindOf = subject => subject.slice(0, subject.indexOf('/'));
export const decide = (record, now) => BY_KIND[kindOf(record.subject)](record, now);
