// The national rules for json-rules-engine. What holds or not is a condition; what is counted or shown, or
// walks through lists and dates, is a fact.
import { Engine } from 'json-rules-engine';
import * as facts from '../node-common/rules.mjs';
import { AREAS, PARAMS, PRIMARY } from '../node-common/rules.mjs';
import { inYear } from '../node-common/time.mjs';

const is = (fact, operator, value) => ({ fact, operator, value });
const holds = fact => is(fact, 'equal', true);
const all = (...conditions) => ({ all: conditions });
const any = (...conditions) => ({ any: conditions });
const not = condition => ({ not: condition });
const rule = name => ({ condition: name });
const waivable = (name, condition) => any(is('waived', 'contains', name), condition);

const BEFORE_DEVELOPMENT = is('pathway_phase', 'in', ['none', 'preparatory']);

const SCHOOL = {
  is_open: waivable('is_open', all(holds('registered'), is('status', 'in', ['open', 'proposed_to_close']))),
  is_primary: all(is('education_phase', 'in', PRIMARY)),
  committed: waivable('committed', holds('committed_by_head')),
  two_leads: waivable('two_leads', is('leads', 'greaterThanInclusive', PARAMS.leadsNeeded)),
  ready: waivable('ready', all(is('below_secure', 'equal', 0),
    any(is('pathway_phase', 'notEqual', 'preparatory'), is('areas_secure', 'equal', AREAS.length)))),
  development_complete: waivable('development_complete', holds('completed')),

  eligible_preparatory: waivable('eligible_preparatory', all(BEFORE_DEVELOPMENT, rule('is_open'), rule('is_primary'),
    rule('committed'), is('below_secure', 'greaterThan', 0))),
  eligible_development: waivable('eligible_development', all(BEFORE_DEVELOPMENT, rule('is_open'), rule('is_primary'),
    rule('committed'), rule('two_leads'), rule('ready'))),
  eligible_building: waivable('eligible_building', all(rule('is_open'), rule('development_complete'))),
  eligible_refinement: waivable('eligible_refinement', all(rule('is_open'), any(
    all(is('entered', 'notBefore', PARAMS.enteredFrom), is('entered', 'notAfter', PARAMS.enteredTo)),
    is('building_years', 'greaterThanInclusive', PARAMS.buildingYearsNeeded),
    is('specialists', 'greaterThan', 0)))),

  lead_missing: all(rule('developing'), not(rule('two_leads'))),
  meeting_missed: all(rule('developing'),
    any(is('overdue_marks', 'contains', '0'), is('overdue_marks', 'contains', '1'))),
  meeting_unrecorded: all(rule('developing'), is('overdue_marks', 'contains', '-')),
  visit_overdue: all(rule('developing'), holds('is_visit_overdue')),
  development_incomplete: all(is('pathway_phase', 'equal', 'development'), holds('is_development_year_over'),
    not(rule('development_complete'))),
  out_of_order: all(holds('is_out_of_order')),
  out_of_contact: all(holds('is_out_of_contact')),
  sustaining_lapsed: all(holds('has_sustaining_lapsed')),
  stale_urn: all(holds('is_urn_stale')),
};
const SCHOOL_SHARED = {
  developing: all(is('pathway_phase', 'equal', 'development'), holds('is_development_year'),
    holds('has_development_place')),
};

const GROUP = {
  group_size_ok: any(is('kind', 'notEqual', 'development'), all(
    is('group_schools', 'greaterThanInclusive', PARAMS.groupMin),
    is('group_schools', 'lessThanInclusive', PARAMS.groupMax))),
  group_meeting_missed: all(is('kind', 'equal', 'development'), holds('is_meeting_overdue')),
};

// Decisions that are values.
const schoolValues = (s, year, now) => ({
  areas_secure: facts.areasSecure(s),
  building_focuses: facts.buildingFocuses(s),
  building_years: facts.buildingYears(s, now),
  development_attendance: facts.attendance(s, year),
  development_meetings: facts.meetingsCounted(s, year),
  development_observations: s.observed[year]?.length ?? 0,
  development_visits: facts.visitsCounted(s, year),
  development_year: year,
  entered: facts.entered(s),
  last_contact: s.lastContact,
  pathway_phase: s.phase,
  phase_since: s.phaseSince,
  ...Object.fromEntries(AREAS.map(area => [`readiness_${area}`, s.areas[area] ?? 'not_assessed'])),
  succeeded_by: s.succeededBy,
  sustaining_years: s.sustainedYears.length,
});

const schoolFacts = (s, year, shown, now) => ({
  waived: s.waivers.filter(w => w.end === null || now < w.end).map(w => w.rule),
  registered: s.registered,
  status: s.register.status ?? null,
  education_phase: s.register.education_phase ?? null,
  committed_by_head: s.committed,
  leads: s.leads.length,
  specialists: s.specialists.length,
  below_secure: facts.belowSecure(s),
  completed: s.completed,
  is_development_year: year !== null && inYear(year, now),
  is_development_year_over: facts.yearOver(year, now),
  has_development_place: facts.inGroup(s, 'development', year),
  overdue_marks: year === null ? [] : facts.overdueMarks(year, shown, now),
  is_visit_overdue: year !== null && facts.visitOverdue(s, year, now),
  is_out_of_order: facts.outOfOrder(s, now),
  is_out_of_contact: facts.outOfContact(s, now),
  has_sustaining_lapsed: facts.sustainingLapsed(s, now),
  is_urn_stale: s.staleUrn,
});

function engineOf(decisions, shared = {}) {
  const engine = new Engine();
  engine.addOperator('notBefore', (year, bound) => year !== null && year >= bound); // the others take numbers
  engine.addOperator('notAfter', (year, bound) => year !== null && year <= bound);
  for (const [name, conditions] of Object.entries({ ...shared, ...decisions })) engine.setCondition(name, conditions);
  for (const [name, conditions] of Object.entries(decisions))
    engine.addRule({ name, conditions, event: { type: name } });
  return engine;
}

const schoolEngine = engineOf(SCHOOL, SCHOOL_SHARED);
const groupEngine = engineOf(GROUP);

// The values, and for each of the rules whether it holds.
async function judge(engine, rules, values, more) {
  const { events } = await engine.run({ ...values, ...more });
  const held = new Set(events.map(event => event.type));
  const decisions = values;
  for (const name in rules) decisions[name] = held.has(name);
  return decisions;
}

export async function decide(record, now) {
  if (facts.kindOf(record.subject) === 'school') {
    const year = facts.developmentYear(record, now);
    const values = schoolValues(record, year, now);
    return judge(schoolEngine, SCHOOL, values, schoolFacts(record, year, values.development_attendance, now));
  }
  if (facts.kindOf(record.subject) === 'group') {
    const values = { group_meetings: facts.groupMeetings(record), group_schools: record.schools.length };
    const isOverdue = record.kind === 'development' && inYear(record.year, now)
      && facts.groupMeetingOverdue(record, now);
    return judge(groupEngine, GROUP, values, { kind: record.kind, is_meeting_overdue: isOverdue });
  }
  return {};
}
