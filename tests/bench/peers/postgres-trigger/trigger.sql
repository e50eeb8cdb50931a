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

-- All standing events of a subject, merged with those that it took over: a succession brings in what stands
-- before it in the predecessor's history. What touches also a successor on the way came through that one.
CREATE FUNCTION all_items(subject text, now timestamptz) RETURNS TABLE (what event, via text[]) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE lineage (subject, successors, time, sequence, source, id) AS (
        SELECT subject, '{}'::text[], 'infinity'::timestamptz, '', '', ''
        UNION ALL
        SELECT e.body->'data'->>'predecessor', l.subject || l.successors, e.time, e.sequence, e.source, e.id
        FROM lineage l JOIN subject_event t USING (subject) JOIN event e USING (seq)
        WHERE e.type = 'school.succeeded' AND e.subject = l.subject
            AND e.body->'data'->>'predecessor' <> ALL (l.subject || l.successors)
            AND t.time <= now AND (e.time, e.sequence, e.source, e.id) < (l.time, l.sequence, l.source, l.id)
            AND NOT is_voided(e)
    ), claim AS (
        SELECT t.seq, array_agg(DISTINCT l.subject) AS via
        FROM lineage l JOIN subject_event t USING (subject) JOIN event e USING (seq)
        WHERE t.time <= now AND (e.time, e.sequence, e.source, e.id) < (l.time, l.sequence, l.source, l.id)
            AND NOT EXISTS (SELECT FROM subject_event o
                WHERE o.subject = ANY (l.successors) AND o.time = t.time AND o.seq = t.seq)
        GROUP BY t.seq
    )
    SELECT e, claim.via
    FROM claim JOIN event e USING (seq)
    WHERE NOT is_voided(e)
    ORDER BY e.time, e.sequence, e.source, e.id
$$;

-- The standing events of a subject behind the last one that its record holds, or all of them.
CREATE FUNCTION items(kept subject_record, must_refold boolean, now timestamptz) RETURNS TABLE (what event, via text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF must_refold THEN
        RETURN QUERY SELECT * FROM all_items(kept.subject, now);
    ELSE
        RETURN QUERY
        SELECT e, ARRAY[kept.subject]
        FROM subject_event t JOIN event e USING (seq)
        WHERE t.subject = kept.subject AND t.time BETWEEN kept.time AND now
            AND (e.time, e.sequence, e.source, e.id) > (kept.time, kept.sequence, kept.source, kept.id)
            AND NOT is_voided(e)
        ORDER BY e.time, e.sequence, e.source, e.id;
    END IF;
END $$;

CREATE FUNCTION empty_record(subject text) RETURNS subject_record LANGUAGE sql STABLE AS $$
    SELECT (subject, '-infinity', '', '', '',
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
        r.sequence := e.sequence;
        r.source := e.source;
        r.id := e.id;
    END LOOP;
    r.state := CASE WHEN is_school THEN to_jsonb(s) ELSE to_jsonb(g) END;
END $$;

CREATE FUNCTION publish(subject text, judged jsonb, cause bigint[]) RETURNS void LANGUAGE sql AS $$
    WITH changed AS (
        SELECT d.name, d.value AS old, j.value AS new
        FROM decision d JOIN jsonb_each_text(judged) j ON j.key = d.name
        WHERE d.subject = publish.subject AND d.value IS DISTINCT FROM j.value
    ), stored AS (
        UPDATE decision d SET value = changed.new
        FROM changed WHERE d.subject = publish.subject AND d.name = changed.name
    )
    INSERT INTO change (subject, name, old, new, cause) SELECT subject, name, old, new, cause FROM changed
$$;

CREATE FUNCTION take_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now timestamptz := current_setting('pathway.now');
    affected record;
    kept subject_record;
    is_new boolean;
BEGIN
    INSERT INTO subject_event
    SELECT touched, e.time, e.seq FROM new_events e, touches(e.subject, e.body->'data') touched;

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
                OR (e.time, e.sequence, e.source, e.id) <= (r.time, r.sequence, r.source, r.id)
                OR EXISTS (SELECT FROM event v WHERE v.type = 'event.voided'
                    AND v.body->'data'->>'source' = e.source AND v.body->'data'->>'id' = e.id)
            FROM new_events e
            CROSS JOIN touches(e.subject, e.body->'data') touched
            LEFT JOIN subject_record r ON r.subject = touched
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
        WHERE EXISTS (SELECT FROM subject_event t WHERE t.subject = c.subject AND t.time <= now)
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
        ON CONFLICT (subject) DO UPDATE SET (time, sequence, source, id, state)
            = (excluded.time, excluded.sequence, excluded.source, excluded.id, excluded.state);
        PERFORM publish(affected.subject, judge(kept, now), affected.causes);
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER take_events AFTER INSERT ON event
    REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION take_events();
