-- The national rules: how events become a record, how a school moves along, what is decided. Days and
-- years are those of Europe/London, the time zone of the cluster. An academic year is the number of the
-- calendar year in which it starts.
CREATE TYPE phase AS ENUM ('none', 'preparatory', 'development', 'building', 'refinement');
CREATE TYPE membership AS (work_group text, kind text, year int);
CREATE TYPE waiver AS (rule text, until timestamptz);

CREATE TYPE school AS (
    subject text,
    at timestamptz,             -- the instant that it stands at
    registered boolean, status text, education_phase text,
    succeeded_by text, stale_urn boolean,
    committed boolean, leads text[], specialists text[],
    areas jsonb,                -- area: judgement
    phase phase, phase_since timestamptz, completed boolean,
    entered int,                -- the earliest year
    memberships membership[],
    development_years int[],
    turns int[],                -- years whose start may move it: those it joined a group for, and the next ones
    embedded_years int[], sustained_years int[],
    teachers_met jsonb,         -- 'year/half term': the most teachers at one Development meeting
    observed text[],            -- 'year/half term'
    visits text[],              -- 'year/term'
    focuses text[],             -- 'year/focus'
    last_contact date,
    waivers waiver[]
);
CREATE TYPE work_group AS (
    subject text,
    kind text, year int,        -- by group.formed
    schools text[],
    meetings text[]             -- 'year/half term'
);

---- the calendar ----

CREATE FUNCTION year_of(at timestamptz) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT extract(year FROM at)::int - (extract(month FROM at) < 9)::int
$$;

CREATE FUNCTION year_start(year int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT make_timestamptz(year, 9, 1, 0, 0, 0)
$$;

CREATE FUNCTION year_text(year int) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT year || '/' || lpad(((year + 1) % 100)::text, 2, '0')
$$;

-- Is it at least 14 days since the end of this half term?
CREATE FUNCTION overdue(year int, half_term int, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    starts date[] := (SELECT c.starts FROM calendar c WHERE c.year = overdue.year);
    ended date := starts[half_term + 1];
BEGIN
    IF half_term = 6 THEN
        ended := make_date(year + 1, 9, 1);
    ELSIF starts IS NULL THEN
        ended := (ARRAY[make_date(year, 11, 1), make_date(year + 1, 1, 4), make_date(year + 1, 2, 22),
            make_date(year + 1, 4, 15), make_date(year + 1, 6, 3)])[half_term];
    END IF;
    RETURN at >= ended + 14;
END $$;

---- a school: what each event does to its record ----

CREATE FUNCTION new_school(subject text) RETURNS school LANGUAGE sql STABLE AS $$
    SELECT jsonb_populate_record(NULL::school, jsonb_build_object('subject', subject) ||
        '{"at": "-infinity", "registered": false, "stale_urn": false, "committed": false, "leads": [],
          "specialists": [], "areas": {}, "phase": "none", "completed": false, "memberships": [],
          "development_years": [], "turns": [], "embedded_years": [], "sustained_years": [],
          "teachers_met": {}, "observed": [], "visits": [], "focuses": [], "waivers": []}')
$$;

CREATE FUNCTION with_member(list anycompatiblearray, member anycompatible) RETURNS anycompatiblearray
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN member = ANY (list) THEN list ELSE list || member END
$$;

-- `via` is the school itself, or the predecessors through which it took the event over.
CREATE FUNCTION apply(INOUT s school, e event, via text[]) LANGUAGE plpgsql STABLE AS $$
DECLARE
    data jsonb := e.body->'data';
    year int := left(data->>'academic_year', 4)::int;
    is_own boolean := via = ARRAY[s.subject];
    me text;
    teachers int;
    key text;
BEGIN
    CASE e.type
    WHEN 'school.registered', 'school.changed' THEN
        s.registered := s.registered OR e.type = 'school.registered';
        s.status := coalesce(data->>'status', s.status);
        s.education_phase := coalesce(data->>'education_phase', s.education_phase);
    WHEN 'school.closed' THEN
        s.status := 'closed';
    WHEN 'school.succeeded' THEN
        IF e.subject = ANY (via) THEN
            s.status := 'open';
        ELSIF is_own THEN
            s.succeeded_by := e.subject;
            s.memberships := '{}';
        END IF;
    WHEN 'programme.entered' THEN
        s.entered := least(s.entered, coalesce(year, year_of(e.time)));
    WHEN 'phase.recorded' THEN
        IF s.phase <> (data->>'pathway_phase')::phase THEN
            s.phase := data->>'pathway_phase';
            s.phase_since := e.time;
        END IF;
        s.completed := s.completed OR s.phase >= 'building';
    WHEN 'specialist.appointed' THEN
        s.specialists := with_member(s.specialists, data->>'person');
    WHEN 'specialist.stood_down' THEN
        s.specialists := array_remove(s.specialists, data->>'person');
    WHEN 'commitment.given' THEN
        s.committed := true;
    WHEN 'commitment.withdrawn' THEN
        s.committed := false;
    WHEN 'lead.named' THEN
        s.leads := with_member(s.leads, data->>'teacher');
    WHEN 'lead.stood_down' THEN
        s.leads := array_remove(s.leads, data->>'teacher');
    WHEN 'readiness.assessed' THEN
        s.areas := s.areas || jsonb_build_object(data->>'area', data->'judgement');
    WHEN 'group.joined' THEN
        s.memberships := s.memberships || (data->>'group', data->>'kind', year)::membership;
        s.turns := with_member(with_member(s.turns, year), year + 1);
        IF data->>'kind' = 'development' THEN
            s.development_years := with_member(s.development_years, year);
        END IF;
    WHEN 'group.left' THEN
        s.memberships := ARRAY(SELECT m FROM unnest(s.memberships) m WHERE m.work_group <> data->>'group');
    WHEN 'school.visited' THEN
        s.visits := with_member(s.visits, year || '/' || (data->>'term'));
        s.last_contact := greatest(s.last_contact, e.time::date);
    WHEN 'focus.worked' THEN
        s.focuses := with_member(s.focuses, year || '/' || (data->>'focus'));
    WHEN 'contact.made' THEN
        s.last_contact := greatest(s.last_contact, e.time::date);
    WHEN 'group.met' THEN
        key := year || '/' || (data->>'half_term');
        FOREACH me IN ARRAY via LOOP
            CONTINUE WHEN NOT data->'attendance' ? me;
            teachers := (SELECT count(DISTINCT t) FROM jsonb_array_elements(data->'attendance'->me) t);
            IF teachers > 0 THEN
                s.last_contact := greatest(s.last_contact, e.time::date);
            END IF;
            IF data->>'kind' = 'development' THEN
                s.teachers_met := s.teachers_met ||
                    jsonb_build_object(key, greatest(teachers, (s.teachers_met->key)::int));
                IF (data->'observation')::boolean AND teachers > 0 THEN
                    s.observed := with_member(s.observed, key);
                END IF;
            END IF;
        END LOOP;
    WHEN 'waiver.granted' THEN
        s.waivers := s.waivers ||
            (data->>'rule', coalesce((data->>'until')::date + 1, 'infinity'::timestamptz))::waiver;
    WHEN 'waiver.ended' THEN
        s.waivers := ARRAY(SELECT w FROM unnest(s.waivers) w WHERE w.rule <> data->>'rule');
    ELSE
    END CASE;

    IF is_own AND s.succeeded_by IS NOT NULL AND e.type NOT IN
        ('school.registered', 'school.changed', 'school.closed', 'school.succeeded', 'event.voided')
    THEN
        s.stale_urn := true;
    END IF;
END $$;

---- a school: how it moves along ----

CREATE TYPE standing AS (
    is_open boolean, is_primary boolean, committed boolean, two_leads boolean,
    areas_secure int, ready boolean,
    eligible_preparatory boolean, eligible_development boolean,
    development_complete boolean, eligible_building boolean,
    building_years int, eligible_refinement boolean
);

-- The rules that the moves ask about too.
CREATE FUNCTION standing_of(s school, at timestamptz, OUT r standing) LANGUAGE plpgsql STABLE AS $$
DECLARE
    current int := year_of(at);
    waived text[] := '{}';
    w waiver;
    year int;
    judgement text;
    below_secure int := 0;
    before_development boolean := s.phase < 'development';
BEGIN
    FOREACH w IN ARRAY s.waivers LOOP
        IF at < w.until THEN
            waived := waived || w.rule;
        END IF;
    END LOOP;

    r.is_open := s.registered AND coalesce(s.status IN ('open', 'proposed_to_close'), false)
        OR 'is_open' = ANY (waived);
    r.is_primary := coalesce(s.education_phase
        IN ('primary', 'infant', 'junior', 'first', 'middle', 'all_through'), false);
    r.committed := s.committed OR 'committed' = ANY (waived);
    r.two_leads := cardinality(s.leads) >= 2 OR 'two_leads' = ANY (waived);

    r.areas_secure := 0;
    IF s.areas <> '{}' THEN
        FOR judgement IN SELECT value FROM jsonb_each_text(s.areas) LOOP
            IF judgement = 'secure' THEN
                r.areas_secure := r.areas_secure + 1;
            ELSE
                below_secure := below_secure + 1;
            END IF;
        END LOOP;
    END IF;
    r.ready := below_secure = 0 AND (s.phase <> 'preparatory' OR r.areas_secure = 5)
        OR 'ready' = ANY (waived);

    r.eligible_preparatory := r.is_open AND r.is_primary AND r.committed AND before_development
        AND below_secure > 0 OR 'eligible_preparatory' = ANY (waived);
    r.eligible_development := r.is_open AND r.is_primary AND r.committed AND r.two_leads AND r.ready
        AND before_development OR 'eligible_development' = ANY (waived);
    r.development_complete := s.completed OR 'development_complete' = ANY (waived);
    r.eligible_building := r.is_open AND r.development_complete OR 'eligible_building' = ANY (waived);

    r.building_years := 0;
    FOREACH year IN ARRAY s.embedded_years LOOP
        IF year < current THEN
            r.building_years := r.building_years + 1;
        END IF;
    END LOOP;
    r.eligible_refinement := r.is_open AND (coalesce(s.entered BETWEEN 2015 AND 2018, false)
        OR r.building_years >= 1 OR cardinality(s.specialists) > 0)
        OR 'eligible_refinement' = ANY (waived);
END $$;

-- Half terms of a year at which two teachers met.
CREATE FUNCTION meetings_counted(s school, year int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    counted int := 0;
BEGIN
    FOR half_term IN 1..6 LOOP
        IF (s.teachers_met->(year || '/' || half_term))::int >= 2 THEN
            counted := counted + 1;
        END IF;
    END LOOP;
    RETURN counted;
END $$;

CREATE FUNCTION visits_counted(s school, year int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    counted int := 0;
BEGIN
    FOR term IN 1..3 LOOP
        IF year || '/' || term = ANY (s.visits) THEN
            counted := counted + 1;
        END IF;
    END LOOP;
    RETURN counted;
END $$;

-- Ask the moves at this instant until nothing changes.
CREATE FUNCTION ask(INOUT s school, now timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
    current int := year_of(now);
    running text[] := '{}';
    m membership;
    year int;
    before phase;
    r standing;
BEGIN
    s.at := now;
    FOREACH m IN ARRAY s.memberships LOOP
        IF m.year = current THEN
            running := running || m.kind;
        END IF;
    END LOOP;
    LOOP
        IF NOT s.completed AND s.phase >= 'development' THEN
            FOREACH year IN ARRAY s.development_years LOOP
                IF year < current AND meetings_counted(s, year) >= 5 AND visits_counted(s, year) >= 3 THEN
                    s.completed := true;
                END IF;
            END LOOP;
        END IF;
        EXIT WHEN running = '{}'; -- a school moves only in a group

        IF s.phase >= 'building' AND 'embedding' = ANY (running) THEN
            s.embedded_years := with_member(s.embedded_years, current);
        END IF;
        IF s.phase = 'refinement' AND 'sustaining' = ANY (running) THEN
            s.sustained_years := with_member(s.sustained_years, current);
        END IF;

        r := standing_of(s, now);
        before := s.phase;
        IF s.phase < 'refinement' AND 'sustaining' = ANY (running) AND r.eligible_refinement THEN
            s.phase := 'refinement';
        ELSIF s.phase = 'development' AND 'embedding' = ANY (running) AND r.eligible_building THEN
            s.phase := 'building';
        ELSIF s.phase < 'development' AND 'development' = ANY (running) AND r.eligible_development THEN
            s.phase := 'development';
            s.entered := least(s.entered, current);
        ELSIF s.phase = 'none' AND 'readiness' = ANY (running) AND r.eligible_preparatory THEN
            s.phase := 'preparatory';
        END IF;
        EXIT WHEN s.phase = before;
        s.phase_since := now;
    END LOOP;
END $$;

-- Go on to an instant, and ask whenever a year begins or ends that may move the school. (The end of a
-- waiver only stops moves.)
CREATE FUNCTION advance(INOUT s school, until timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
    current int;
    turn int;
    next int;
BEGIN
    IF s.turns = '{}' THEN
        RETURN;
    END IF;
    current := year_of(s.at);
    LOOP
        next := NULL;
        FOREACH turn IN ARRAY s.turns LOOP
            IF turn > current THEN
                next := least(next, turn);
            END IF;
        END LOOP;
        EXIT WHEN next IS NULL OR year_start(next) > until;
        s := ask(s, year_start(next));
        current := next;
    END LOOP;
END $$;

---- a school: what is decided ----

CREATE FUNCTION judge(s school, at timestamptz) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    current int := year_of(at);
    r standing := standing_of(s, at);
    year int;
    teachers int;
    mark text;
    m membership;
    development_year int;
    attendance text;
    observations int := 0;
    focuses int := 0;
    developing boolean := false;
    meeting_missed boolean := false;
    meeting_unrecorded boolean := false;
    visit_overdue boolean := false;
    out_of_order boolean := false;
    out_of_contact boolean := false;
BEGIN
    -- the latest that has begun; if none has, the earliest
    FOREACH year IN ARRAY s.development_years LOOP
        IF development_year IS NULL
            OR (CASE WHEN year <= current AND development_year <= current THEN year > development_year
                     ELSE year < development_year END)
        THEN
            development_year := year;
        END IF;
    END LOOP;

    FOREACH m IN ARRAY s.memberships LOOP
        CONTINUE WHEN m.year <> current;
        IF m.kind = 'development' AND s.phase = 'development' AND development_year = current THEN
            developing := true;
        END IF;
        IF s.phase < (CASE m.kind WHEN 'readiness' THEN 'preparatory' WHEN 'development' THEN 'development'
            WHEN 'embedding' THEN 'building' ELSE 'refinement' END)::phase
        THEN
            out_of_order := true;
        END IF;
        IF m.kind IN ('development', 'embedding')
            AND at >= greatest(s.last_contact, make_date(current, 9, 1)) + 90
        THEN
            out_of_contact := true;
        END IF;
    END LOOP;

    IF development_year IS NOT NULL THEN
        attendance := '';
        FOR half_term IN 1..6 LOOP
            teachers := s.teachers_met->(development_year || '/' || half_term);
            mark := CASE WHEN teachers IS NULL THEN '-' ELSE least(teachers, 2)::text END;
            attendance := attendance || mark;
            IF development_year || '/' || half_term = ANY (s.observed) THEN
                observations := observations + 1;
            END IF;
            IF developing AND mark <> '2' AND overdue(development_year, half_term, at) THEN
                meeting_missed := meeting_missed OR mark <> '-';
                meeting_unrecorded := meeting_unrecorded OR mark = '-';
            END IF;
        END LOOP;
    END IF;
    IF developing THEN
        FOR term IN 1..3 LOOP
            IF development_year || '/' || term <> ALL (s.visits) AND overdue(development_year, term * 2, at) THEN
                visit_overdue := true;
            END IF;
        END LOOP;
    END IF;

    IF s.embedded_years <> '{}' THEN
        focuses := (SELECT count(DISTINCT split_part(f, '/', 2)) FROM unnest(s.focuses) f
            WHERE left(f, 4)::int = ANY (s.embedded_years));
    END IF;

    RETURN jsonb_build_object(
        'is_open', r.is_open,
        'is_primary', r.is_primary,
        'committed', r.committed,
        'two_leads', r.two_leads,
        'readiness_vision_and_culture', coalesce(s.areas->>'vision_and_culture', 'not_assessed'),
        'readiness_mathematical_mindsets', coalesce(s.areas->>'mathematical_mindsets', 'not_assessed'),
        'readiness_subject_expertise', coalesce(s.areas->>'subject_expertise', 'not_assessed'),
        'readiness_school_systems', coalesce(s.areas->>'school_systems', 'not_assessed'),
        'readiness_arithmetical_proficiency', coalesce(s.areas->>'arithmetical_proficiency', 'not_assessed'),
        'areas_secure', r.areas_secure,
        'ready', r.ready,
        'eligible_preparatory', r.eligible_preparatory,
        'eligible_development', r.eligible_development,
        'development_year', year_text(development_year),
        'development_attendance', attendance,
        'development_meetings', meetings_counted(s, development_year),
        'development_observations', observations,
        'development_visits', visits_counted(s, development_year),
        'development_complete', r.development_complete,
        'eligible_building', r.eligible_building,
        'entered', year_text(s.entered),
        'building_focuses', focuses,
        'last_contact', s.last_contact,
        'building_years', r.building_years,
        'eligible_refinement', r.eligible_refinement,
        'sustaining_years', cardinality(s.sustained_years),
        'pathway_phase', s.phase,
        'phase_since', s.phase_since::date,
        'succeeded_by', s.succeeded_by,
        'lead_missing', developing AND NOT r.two_leads,
        'meeting_missed', meeting_missed,
        'meeting_unrecorded', meeting_unrecorded,
        'visit_overdue', visit_overdue,
        'development_incomplete', s.phase = 'development' AND coalesce(development_year < current, false)
            AND NOT r.development_complete,
        'out_of_order', out_of_order,
        'out_of_contact', out_of_contact,
        'sustaining_lapsed', s.phase = 'refinement' AND at >= make_date(current, 11, 1)
            AND current <> ALL (s.sustained_years),
        'stale_urn', s.stale_urn);
END $$;

---- a Work Group ----

CREATE FUNCTION new_group(subject text) RETURNS work_group LANGUAGE sql IMMUTABLE AS $$
    SELECT (subject, NULL, NULL, '{}', '{}')::work_group
$$;

CREATE FUNCTION apply(INOUT g work_group, e event) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    data jsonb := e.body->'data';
BEGIN
    CASE e.type
    WHEN 'group.formed' THEN
        g.kind := data->>'kind';
        g.year := left(data->>'academic_year', 4);
    WHEN 'group.joined' THEN
        g.schools := with_member(g.schools, e.subject);
    WHEN 'group.left' THEN
        g.schools := array_remove(g.schools, e.subject);
    WHEN 'group.met' THEN
        g.meetings := with_member(g.meetings, left(data->>'academic_year', 4) || '/' || (data->>'half_term'));
    ELSE
    END CASE;
END $$;

CREATE FUNCTION judge(g work_group, at timestamptz) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_development boolean := coalesce(g.kind = 'development', false);
    meetings int := cardinality(g.meetings);
    missed boolean := false;
BEGIN
    IF g.year IS NOT NULL THEN
        meetings := 0;
        FOR half_term IN 1..6 LOOP
            IF g.year || '/' || half_term = ANY (g.meetings) THEN
                meetings := meetings + 1;
            ELSIF is_development AND g.year = year_of(at) AND overdue(g.year, half_term, at) THEN
                missed := true;
            END IF;
        END LOOP;
    END IF;
    RETURN jsonb_build_object(
        'group_schools', cardinality(g.schools),
        'group_size_ok', NOT is_development OR cardinality(g.schools) BETWEEN 6 AND 7,
        'group_meetings', meetings,
        'group_meeting_missed', missed);
END $$;
