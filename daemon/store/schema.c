/* schema.c - see internal.h. Tables called X_row hold numbers; the view X shows them to people. */
#include "store/internal.h"

/* Microseconds as RFC 3339 in UTC; % keeps the sign, so times before 1970 are shifted. */
#define MICROS(t) "(((" t ") % 1000000 + 1000000) % 1000000)"
#define RFC3339(t)                                                                                 \
    "strftime('%Y-%m-%dT%H:%M:%S', ((" t ") - " MICROS(t) ") / 1000000, 'unixepoch')"              \
                                                          " || printf('.%06dZ', " MICROS(t) ")"
#define NAMES(t) "CREATE TABLE " t " (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"

static const char *const VERSION_1[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT;" NAMES("source_name")
        NAMES("type_name") NAMES("subject_name") NAMES("decision_name"),

    /* The log: only ever appended to. */
    "CREATE TABLE event_row ("
    " seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, recorded INTEGER NOT NULL,"
    " source INTEGER NOT NULL, id TEXT NOT NULL, type INTEGER NOT NULL, subject INTEGER NOT NULL,"
    " sequence TEXT, actor TEXT, body TEXT NOT NULL, hash BLOB NOT NULL)"
    " STRICT;"
    "CREATE TABLE event_key (seq INTEGER PRIMARY KEY, hash INTEGER NOT NULL) STRICT;"
    "CREATE TABLE event_commit_row ("
    " number INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " recorded INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;"
    "CREATE TABLE subject_event_row ("
    " row INTEGER PRIMARY KEY, subject INTEGER NOT NULL, prev INTEGER) STRICT;"
    "CREATE TABLE subject_head ("
    " subject INTEGER PRIMARY KEY, first INTEGER NOT NULL, head INTEGER NOT NULL) STRICT;"
    "CREATE TABLE event_void ("
    " seq INTEGER PRIMARY KEY, source TEXT NOT NULL, id TEXT NOT NULL) STRICT;"
    "CREATE INDEX event_void_target ON event_void (source, id);",

    /* Derived from the log. */
    "CREATE TABLE decision_row ("
    " subject INTEGER NOT NULL, name INTEGER NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (subject, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE subject ("
    " subject TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT, hub TEXT, former TEXT)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE wake_row (subject TEXT PRIMARY KEY, due INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX wake_due ON wake_row (due, subject);"
    "CREATE TABLE change_row ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT, recorded INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, subject INTEGER NOT NULL, decision INTEGER NOT NULL,"
    " old TEXT NOT NULL, new TEXT NOT NULL, hub TEXT, cause TEXT) STRICT;",

    /* Rules that judged. */
    "CREATE TABLE generation ("
    " number INTEGER PRIMARY KEY, digest TEXT NOT NULL, since INTEGER NOT NULL) STRICT;"
    "CREATE TABLE pack_text (digest BLOB PRIMARY KEY, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE pack_file ("
    " generation INTEGER NOT NULL, path TEXT NOT NULL, digest BLOB NOT NULL,"
    " PRIMARY KEY (generation, path)) STRICT, WITHOUT ROWID;",

    /* Small and transactional. */
    "CREATE TABLE personal (key TEXT PRIMARY KEY, details TEXT NOT NULL) STRICT;"
    "CREATE TABLE note ("
    " seq INTEGER NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (seq, path)) STRICT;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, acked INTEGER NOT NULL) STRICT;"
    "CREATE TABLE token ("
    " name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, hubs TEXT,"
    " created INTEGER NOT NULL, revoked INTEGER) STRICT;"
    "CREATE TABLE quarantine ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, received INTEGER NOT NULL,"
    " reason TEXT NOT NULL, body BLOB NOT NULL) STRICT;",

    /* For people with sqlite3 at hand. */
    /* clang-format off */
    "CREATE VIEW event AS"
    " SELECT e.seq, " RFC3339("e.time") " AS time, " RFC3339("e.recorded") " AS recorded,"
    "  s.text AS source, e.id, t.text AS type, n.text AS subject, e.sequence, e.actor, e.body,"
    "  lower(hex(e.hash)) AS hash"
    " FROM event_row e JOIN source_name s ON s.id = e.source JOIN type_name t ON t.id = e.type"
    "  JOIN subject_name n ON n.id = e.subject;",
    "CREATE VIEW event_commit AS"
    " SELECT number, first, last, " RFC3339("recorded") " AS recorded, generation"
    " FROM event_commit_row;",
    "CREATE VIEW subject_event AS"
    " SELECT n.text AS subject, r.row >> 16 AS seq, r.prev"
    " FROM subject_event_row r JOIN subject_name n ON n.id = r.subject;",
    "CREATE VIEW decision AS"
    " SELECT n.text AS subject, d.text AS decision, r.value"
    " FROM decision_row r JOIN subject_name n ON n.id = r.subject"
    "  JOIN decision_name d ON d.id = r.name;",
    "CREATE VIEW wake AS SELECT subject, " RFC3339("due") " AS due FROM wake_row;",
    "CREATE VIEW change AS"
    " SELECT c.seq, " RFC3339("c.recorded") " AS recorded, c.generation, n.text AS subject,"
    "  d.text AS decision, c.old, c.new, c.hub, c.cause"
    " FROM change_row c JOIN subject_name n ON n.id = c.subject"
    "  JOIN decision_name d ON d.id = c.decision;",
    "CREATE VIEW pack AS"
    " SELECT g.number AS generation, g.digest, " RFC3339("g.since") " AS since, f.path, t.text"
    " FROM generation g LEFT JOIN pack_file f ON f.generation = g.number"
    "  LEFT JOIN pack_text t ON t.digest = f.digest;",
    /* clang-format on */
    NULL,
};

/* Subjects that a commit left for later, so that much that comes late at once does not hold up
 * others. */
static const char *const VERSION_2[] = {
    "CREATE TABLE commit_judged (number INTEGER PRIMARY KEY, subjects TEXT NOT NULL) STRICT;",
    "CREATE TABLE pending (subject TEXT PRIMARY KEY, causes TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    "DROP VIEW event_commit;",
    /* clang-format off */
    "CREATE VIEW event_commit AS"
    " SELECT c.number, c.first, c.last, " RFC3339("c.recorded") " AS recorded, c.generation,"
    "  j.subjects AS judged"
    " FROM event_commit_row c LEFT JOIN commit_judged j ON j.number = c.number;",
    /* clang-format on */
    NULL,
};

/* The commit path only appends: what is looked up by key is one row a subject, written behind a
 * watermark; the keys that find duplicates are sorted runs; the feed names events by their numbers.
 */
static const char *const VERSION_3[] = {
    "CREATE TABLE watermark ("
    " number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, feed INTEGER NOT NULL,"
    " is_whole INTEGER NOT NULL) STRICT;"
    "INSERT INTO watermark VALUES (coalesce((SELECT max(number) FROM event_commit_row), 0),"
    " coalesce((SELECT max(seq) FROM event_row), 0),"
    " coalesce((SELECT max(seq) FROM change_row), 0), 1);",
    /* Until then a commit for which only time was the reason did not say which subjects it
     * judged. */
    "INSERT INTO meta (key, value) SELECT 'judged_since', number FROM watermark;",

    "CREATE TABLE event_succession ("
    " seq INTEGER PRIMARY KEY, predecessor INTEGER NOT NULL, successor INTEGER NOT NULL) STRICT;"
    "INSERT INTO event_succession SELECT e.seq, p.id, e.subject FROM event_row e"
    " JOIN type_name t ON t.id = e.type AND t.text = 'school.succeeded'"
    " JOIN subject_name p ON p.text = json_extract(e.body, '$.data.predecessor');",
    /* With the event, what it touches: a JSON array of pairs, a subject and the event before in its
       chain. */
    "ALTER TABLE event_row ADD COLUMN touches TEXT NOT NULL DEFAULT '[]';"
    "UPDATE event_row SET touches = (SELECT coalesce('[' || group_concat(t.pair) || ']', '[]') FROM"
    " (SELECT subject || ',' || coalesce(prev, 0) AS pair FROM subject_event_row r"
    "  WHERE r.row >= event_row.seq << 16 AND r.row < (event_row.seq + 1) << 16 ORDER BY r.row) t);"
    "DROP VIEW subject_event; DROP TABLE subject_event_row;",
    "DROP TABLE event_key;"
    "CREATE TABLE event_key ("
    " first INTEGER PRIMARY KEY, last INTEGER NOT NULL, keys BLOB NOT NULL) STRICT;",

    NAMES("decision_layout") "CREATE TABLE subject_row ("
                             " id INTEGER PRIMARY KEY, head INTEGER NOT NULL, due INTEGER, name "
                             "TEXT, hub TEXT,"
                             " former TEXT, layout INTEGER, decisions TEXT, causes TEXT) STRICT;"
                             "CREATE INDEX subject_due ON subject_row (due) WHERE due IS NOT NULL;",
    "CREATE TEMP TABLE said AS SELECT subject AS id,"
    " '[' || group_concat(json_quote(name), ',' || char(10)) || ']' AS names,"
    " '[' || group_concat(value, ',' || char(10)) || ']' AS said FROM"
    " (SELECT r.subject, n.text AS name, r.value FROM decision_row r"
    "  JOIN decision_name n ON n.id = r.name ORDER BY r.subject, n.text) GROUP BY subject;"
    "INSERT INTO temp.said SELECT number, '[]', '[]' FROM subject"
    " WHERE number NOT IN (SELECT id FROM temp.said);"
    "INSERT INTO decision_layout (text) SELECT DISTINCT names FROM temp.said ORDER BY names;"
    "INSERT INTO subject_row SELECT n.id, h.head, w.due, s.name, s.hub, s.former, l.id, d.said,"
    " (SELECT group_concat(e.seq) FROM pending p, json_each('[' || p.causes || ']') c, event_row e"
    "  JOIN source_name x ON x.id = e.source WHERE p.subject = n.text"
    "  AND x.text = c.value ->> 'source' AND e.id = c.value ->> 'id')"
    " FROM subject_name n JOIN subject_head h ON h.subject = n.id"
    " LEFT JOIN wake_row w ON w.subject = n.text LEFT JOIN subject s ON s.subject = n.text"
    " LEFT JOIN temp.said d ON d.id = n.id LEFT JOIN decision_layout l ON l.text = d.names;"
    "DROP TABLE temp.said;",
    "DROP VIEW decision; DROP VIEW wake; DROP VIEW change; DROP TABLE decision_row;"
    "DROP TABLE wake_row; DROP TABLE subject; DROP TABLE subject_head; DROP TABLE pending;",

    "CREATE TABLE change_rows ("
    " seq INTEGER PRIMARY KEY, recorded INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, subject INTEGER NOT NULL, decision INTEGER NOT NULL,"
    " old TEXT NOT NULL, new TEXT NOT NULL, hub TEXT, cause ANY) STRICT;"
    /* Only the feed names decisions by number, in the order in which it met them. */
    "CREATE TEMP TABLE met AS SELECT c.decision AS was, row_number() OVER (ORDER BY min(c.seq)) AS "
    "id,"
    " n.text FROM change_row c JOIN decision_name n ON n.id = c.decision GROUP BY c.decision;"
    "INSERT INTO change_rows SELECT c.seq, c.recorded, c.generation, c.subject, m.id, c.old, "
    "c.new, c.hub,"
    " c.cause FROM change_row c JOIN temp.met m ON m.was = c.decision ORDER BY c.seq;"
    "DELETE FROM decision_name; INSERT INTO decision_name SELECT id, text FROM temp.met ORDER BY "
    "id;"
    "DROP TABLE temp.met; DROP TABLE change_row; ALTER TABLE change_rows RENAME TO change_row;"
    "CREATE TABLE notes ("
    " seq INTEGER NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL,"
    " PRIMARY KEY (seq, path)) STRICT, WITHOUT ROWID;"
    "INSERT INTO notes SELECT seq, path, text FROM note; DROP TABLE note;"
    "ALTER TABLE notes RENAME TO note;",

    /* clang-format off */
    "CREATE VIEW subject_event AS"
    " SELECT n.text AS subject, e.seq, nullif(p.value, 0) AS prev"
    " FROM event_row e, json_each(e.touches) s JOIN json_each(e.touches) p ON p.key = s.key + 1"
    "  JOIN subject_name n ON n.id = s.value WHERE s.key % 2 = 0;",
    "CREATE VIEW subject AS"
    " SELECT n.text AS subject, r.id AS number, r.name, r.hub, r.former"
    " FROM subject_row r JOIN subject_name n ON n.id = r.id WHERE r.decisions IS NOT NULL;",
    "CREATE VIEW decision AS"
    " SELECT n.text AS subject, d.value AS decision, CASE v.type WHEN 'text' THEN json_quote(v.value)"
    "  WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null'"
    "  ELSE CAST(v.value AS TEXT) END AS value"
    " FROM subject_row r JOIN subject_name n ON n.id = r.id JOIN decision_layout l ON l.id = r.layout,"
    "  json_each(l.text) d JOIN json_each(r.decisions) v ON v.key = d.key;",
    "CREATE VIEW wake AS SELECT n.text AS subject, " RFC3339("r.due") " AS due"
    " FROM subject_row r JOIN subject_name n ON n.id = r.id WHERE r.due IS NOT NULL;",
    "CREATE VIEW change AS"
    " SELECT c.seq, " RFC3339("c.recorded") " AS recorded, c.generation, n.text AS subject,"
    "  d.text AS decision, c.old, c.new, c.hub, c.cause"
    " FROM change_row c JOIN subject_name n ON n.id = c.subject"
    "  JOIN decision_name d ON d.id = c.decision;",
    /* clang-format on */
    NULL,
};

/* What plugins remember. */
static const char *const VERSION_4[] = {
    "CREATE TABLE plugin_state ("
    " plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (plugin, key))"
    " STRICT, WITHOUT ROWID;",
    NULL,
};

/* Tokens may end by themselves. */
static const char *const VERSION_5[] = {
    "ALTER TABLE token ADD COLUMN expires INTEGER;",
    NULL,
};

/* Each brings the schema from version n to n + 1. Released ones are never edited, only added to. */
const char *const *const store_migrations[] = { VERSION_1, VERSION_2, VERSION_3, VERSION_4,
                                                VERSION_5 };
const int store_migration_count = sizeof(store_migrations) / sizeof(*store_migrations);

enum err_code schema_version(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "PRAGMA user_version";
    return stmt_int(out, s, SQL, 0, "read the schema version", err);
}

/* The step and its number in one transaction: a crash leaves the version before, whole. */
static enum err_code step_up(struct store *s, const char *const *texts, int version,
                             struct err *err)
{
    char stamp[64];

    sqlite3_snprintf(sizeof(stamp), stamp, "PRAGMA user_version = %d", version);
    enum err_code rc = sql_begin(s, err);
    if (rc != OK)
        return rc;
    for (; rc == OK && *texts; texts++)
        rc = store_exec(s, *texts, "migrate the schema", err);
    if (rc == OK)
        rc = store_exec(s, stamp, "write the schema version", err);
    rc = sql_end(s, rc, err);
    if (rc != OK)
        err_at(err, "schema version %d", version);
    return rc;
}

enum err_code schema_migrate(struct store *s, const char *const *const *steps, int count,
                             struct err *err)
{
    int64_t version;

    enum err_code rc = schema_version(&version, s, err);
    while (rc == OK && version < count) {
        rc = step_up(s, steps[version], (int)version + 1, err);
        version++;
    }
    return rc;
}
