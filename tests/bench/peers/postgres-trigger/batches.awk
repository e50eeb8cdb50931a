# Lines of JSON to psql's language: each `batch` of them is copied into a temporary table as it is, and from
# there inserted into the log, where it meets the trigger; one transaction.
function end_batch() {
    print "\\."
    print "INSERT INTO event (time, sequence, source, id, type, subject, body)"
    print "SELECT regexp_replace(body->>'time', '(\\.\\d{6})\\d+', '\\1')::timestamptz," # else it would be rounded
    print "    coalesce(body->>'sequence', ''), body->>'source', body->>'id', body->>'type', body->>'subject', body"
    print "FROM inbox ORDER BY line ON CONFLICT (source, id) DO NOTHING;"
    print "COMMIT;"
}
BEGIN {
    print "CREATE TEMPORARY TABLE inbox (line int GENERATED ALWAYS AS IDENTITY, body jsonb NOT NULL)"
    print "    ON COMMIT DELETE ROWS;"
}
(NR - 1) % batch == 0 {
    if (NR > 1)
        end_batch()
    print "BEGIN;"
    print "COPY inbox (body) FROM STDIN (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02');"
}
{ print }
END {
    if (NR > 0)
        end_batch()
}
