-- What happens when events are inserted: each subject that they concern is folded, judged and compared
-- with what was decided before, once for each INSERT.
CREATE FUNCTION touches(subject text, data jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT subject
    UNION SELECT data->>'group' WHERE data ? 'group'
    UNION SELECT data->>'predecessor' WHERE data ? 'predecessor'
    UNION SELECT jsonb_object_keys(data->'attendance')
$$;

-- A void acts on an earlier event of the same subject, unless it is voided itself.
CREATE FUNCTION is_voided(e event) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM event v
        WHERE v.type = 'event.voided' AND v.body->'data'->>'source' = e.source AND v.body->'data'->>'id' = e.id
            AND v.subject = e.subject
            AND (v.time, v.sequence, v.source, v.id) > (e.time, e.sequence, e.source, e.id)
            AND NOT is_voided(v));
END $$;

-- The standing events of a subject that are later than its record. Or all of them, merged with those that it
-- took over: a succession brings in what stands before it in the predecessor's history. What touches also a
-- successor on the way came through that one.
CREATE FUNCTION items(kept subject_record, must_refold boolean, now timestamptz) RETURNS TABLE (what event, via text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT must_refold THEN
        RETURN QUERY
        SELECT e, ARRAY[kept.subject]
        FROM subject_event t JOIN event e USING (seq)
        WHERE t.subject = kept.subject AND t.time > kept.time AND t.time <= now AND NOT e.voided
        ORDER BY e.time, e.sequence, e.source, e.id;
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE lineage (subject, successors, time, sequence, source, id) AS (
        SELECT kept.subject, '{}'::text[], 'infinity'::timestamptz, '', '', ''
        UNION ALL
        SELECT e.body->'data'->>'predecessor', l.subject || l.successors, e.time, e.sequence, e.source, e.id
        FROM lineage l JOIN event e ON e.type = 'school.succeeded' AND e.subject = l.subject
        WHERE e.body->'data'->>'predecessor' <> ALL (l.subject || l.successors)
            AND e.time <= now AND (e.time, e.sequence, e.source, e.id) < (l.time, l.sequence, l.source, l.id)
            AND NOT e.voided
    ), claim AS (
        SELECT e.seq, array_agg(DISTINCT l.subject) AS via
        FROM lineage l JOIN subject_event t USING (subject) JOIN event e USING (seq)
        WHERE t.time <= now AND (e.time, e.sequence, e.source, e.id) < (l.time, l.sequence, l.source, l.id)
            AND NOT e.voided
            AND (l.successors = '{}' OR NOT l.successors && ARRAY(SELECT * FROM touches(e.subject, e.body->'data')))
        GROUP BY e.seq
    )
    SELECT e, claim.via
    FROM claim JOIN event e USING (seq)
    ORDER BY e.time, e.sequence, e.source, e.id;
END $$;

CREATE FUNCTION empty_record(subject text) RETURNS subject_record LANGUAGE sql STABLE AS $$
    SELECT (subject, '-infinity',
        CASE WHEN subject LIKE 'school/%' THEN to_jsonb(new_school(subject)) ELSE to_jsonb(new_group(subject)) END
    )::subject_record
$$;

CREATE FUNCTION judge(r subject_record, now timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.subject LIKE 'school/%'
        THEN judge(advance(jsonb_populate_record(NULL::school, r.state), now), now)
        ELSE judge(jsonb_populate_record(NULL::work_group, r.state), now) END
$$;

-- Fold what is new, or all anew, into the record of a subject.
CREATE FUNCTION fold(INOUT r subject_record, must_refold boolean, now timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_school boolean := r.subject LIKE 'school/%';
    s school;
    g work_group;
    item record;
    e event;
BEGIN
    IF is_school THEN
        s := jsonb_populate_record(NULL::school, r.state);
    ELSE
        g := jsonb_populate_record(NULL::work_group, r.state);
    END IF;
    FOR item IN SELECT * FROM items(r, must_refold, now) LOOP
        e := item.what;
        IF is_school THEN
            s := ask(apply(advance(s, e.time - interval '1 microsecond'), e, item.via), e.time);
        ELSE
            g := apply(g, e);
        END IF;
        r.time := e.time;
    END LOOP;
    r.state := CASE WHEN is_school THEN to_jsonb(s) ELSE to_jsonb(g) END;
END $$;

CREATE FUNCTION take_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := current_setting('pathway.now');
    affected record;
    kept subject_record;
    is_new boolean;
    judged jsonb;
    changed record;
BEGIN
    INSERT INTO subject_event
    SELECT touched, e.time, e.seq FROM new_events e, touches(e.subject, e.body->'data') touched;

    -- Voids are settled when they come, or when what they name comes.
    WITH RECURSIVE target (seq, type, body) AS (
        SELECT e.seq, e.type, e.body FROM new_events e WHERE e.type = 'event.voided' OR is_voided(e)
        UNION
        SELECT e.seq, e.type, e.body
        FROM target t JOIN event e ON t.type = 'event.voided'
            AND e.source = t.body->'data'->>'source' AND e.id = t.body->'data'->>'id'
    )
    UPDATE event SET voided = is_voided(event) FROM target t WHERE event.seq = t.seq;

    -- An event concerns what it touches; a void also what its target touches; and whatever concerns a school
    -- concerns its successors. What can not be followed as it comes must be folded anew.
    FOR affected IN
        WITH RECURSIVE target (source, id, cause) AS (
            SELECT e.body->'data'->>'source', e.body->'data'->>'id', e.seq FROM new_events e
            WHERE e.type = 'event.voided'
            UNION
            SELECT e.body->'data'->>'source', e.body->'data'->>'id', target.cause
            FROM target JOIN event e USING (source, id) WHERE e.type = 'event.voided'
        ), concern (subject, cause, must_refold) AS (
            (SELECT touched, e.seq, e.type IN ('event.voided', 'school.succeeded')
                OR coalesce(e.time <= (SELECT r.time FROM subject_record r WHERE r.subject = touched), false)
            FROM new_events e, touches(e.subject, e.body->'data') touched
            UNION
            SELECT touched, target.cause, true
            FROM target JOIN event e USING (source, id), touches(e.subject, e.body->'data') touched)
            UNION
            SELECT e.subject, concern.cause, true
            FROM concern JOIN event e
                ON e.type = 'school.succeeded' AND e.body->'data'->>'predecessor' = concern.subject
        )
        SELECT c.subject, bool_or(c.must_refold) AS must_refold, array_agg(DISTINCT c.cause) AS causes
        FROM concern c
        WHERE (SELECT min(t.time) FROM subject_event t WHERE t.subject = c.subject) <= now
        GROUP BY c.subject
        ORDER BY c.subject
    LOOP
        SELECT * INTO kept FROM subject_record r WHERE r.subject = affected.subject;
        is_new := NOT FOUND;
        IF is_new THEN -- it is compared with an empty record
            INSERT INTO decision
            SELECT affected.subject, key, value
            FROM jsonb_each_text(judge(empty_record(affected.subject), now));
        END IF;
        IF is_new OR affected.must_refold THEN
            kept := empty_record(affected.subject);
        END IF;
        kept := fold(kept, affected.must_refold, now);
        INSERT INTO subject_record SELECT kept.*
        ON CONFLICT (subject) DO UPDATE SET time = excluded.time, state = excluded.state;
        judged := judge(kept, now);
        FOR changed IN
            SELECT d.name, d.value AS old, judged->>d.name AS new
            FROM decision d
            WHERE d.subject = kept.subject AND d.value IS DISTINCT FROM judged->>d.name
        LOOP
            UPDATE decision d SET value = changed.new WHERE d.subject = kept.subject AND d.name = changed.name;
            INSERT INTO change (subject, name, old, new, cause)
            VALUES (kept.subject, changed.name, changed.old, changed.new, affected.causes);
        END LOOP;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER take_events AFTER INSERT ON event
    REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION take_events();
