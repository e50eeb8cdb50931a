-- The log, the records folded from it, and what was decided. Text is compared bytewise: the cluster has
-- the locale C.
CREATE TABLE event (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time     timestamptz NOT NULL,
    sequence text NOT NULL,             -- '' when absent: such an event stands first
    source   text NOT NULL,
    id       text NOT NULL,
    type     text NOT NULL,
    subject  text NOT NULL,
    body     jsonb NOT NULL,
    voided   boolean NOT NULL DEFAULT false,
    UNIQUE (source, id)
);
CREATE INDEX event_void ON event ((body->'data'->>'source'), (body->'data'->>'id')) WHERE type = 'event.voided';
CREATE INDEX event_successor ON event (subject) WHERE type = 'school.succeeded';
CREATE INDEX event_predecessor ON event ((body->'data'->>'predecessor')) WHERE type = 'school.succeeded';

-- Which events touch a subject.
CREATE TABLE subject_event (
    subject text NOT NULL,
    time    timestamptz NOT NULL,
    seq     bigint NOT NULL,
    PRIMARY KEY (subject, time, seq)
);

-- What is known of a subject as of its last event.
CREATE TABLE subject_record (
    subject text PRIMARY KEY,
    time    timestamptz NOT NULL,
    state   jsonb NOT NULL              -- a `school` or a `work_group`
);

CREATE TABLE decision (
    subject text,
    name    text,
    value   text,
    PRIMARY KEY (subject, name)
);

CREATE TABLE change (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject text NOT NULL,
    name    text NOT NULL,
    old     text,
    new     text,
    cause   bigint[] NOT NULL           -- events
);

-- First teaching days of the half terms; other years have typical ones.
CREATE TABLE calendar (year int PRIMARY KEY, starts date[] NOT NULL);
INSERT INTO calendar VALUES
    (2015, '{2015-09-01,2015-11-02,2016-01-04,2016-02-22,2016-04-11,2016-06-06}'),
    (2016, '{2016-09-01,2016-10-31,2017-01-03,2017-02-20,2017-04-18,2017-06-05}'),
    (2017, '{2017-09-01,2017-10-30,2018-01-08,2018-02-19,2018-04-16,2018-06-04}'),
    (2018, '{2018-09-03,2018-10-29,2019-01-07,2019-02-25,2019-04-23,2019-06-03}'),
    (2019, '{2019-09-02,2019-11-04,2020-01-06,2020-02-24,2020-04-20,2020-06-01}'),
    (2020, '{2020-09-01,2020-11-02,2021-01-04,2021-02-22,2021-04-19,2021-06-07}'),
    (2021, '{2021-09-01,2021-11-01,2022-01-03,2022-02-21,2022-04-19,2022-06-06}'),
    (2022, '{2022-09-01,2022-10-31,2023-01-03,2023-02-20,2023-04-17,2023-06-05}'),
    (2023, '{2023-09-01,2023-10-30,2024-01-08,2024-02-19,2024-04-15,2024-06-03}'),
    (2024, '{2024-09-02,2024-11-04,2025-01-06,2025-02-24,2025-04-22,2025-06-02}'),
    (2025, '{2025-09-01,2025-11-03,2026-01-05,2026-02-23,2026-04-13,2026-06-01}'),
    (2026, '{2026-09-01,2026-11-02,2027-01-04,2027-02-22,2027-04-12,2027-06-07}');
ANALYZE calendar;
