-- The model. One text for SQLite and PostgreSQL: program-made BIGINT ids and times (milliseconds
-- since 1970, UTC), TEXT, BOOLEAN, CHECK, REFERENCES, partial indexes, and nothing else.
-- Later migrations only add.

CREATE TABLE site (
    id               BIGINT PRIMARY KEY,
    name             TEXT   NOT NULL,              -- legal name
    sender           TEXT   NOT NULL,              -- how it names itself in messages
    phone            TEXT   NOT NULL,              -- call-back number, as shown to patients
    zone             TEXT   NOT NULL,              -- IANA time zone
    jurisdiction     TEXT   NOT NULL DEFAULT '',
    hours            TEXT   NOT NULL,              -- staffed hours: "mon-fri 09:00-17:00"
    emergency_number TEXT   NOT NULL,
    lifeline_number  TEXT   NOT NULL,
    created_at       BIGINT NOT NULL
);

CREATE TABLE site_closure (
    site_id    BIGINT NOT NULL REFERENCES site (id),
    local_date TEXT   NOT NULL,                    -- 2026-11-26: nobody is there
    PRIMARY KEY (site_id, local_date)
);

CREATE TABLE person (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES site (id),
    name       TEXT   NOT NULL,                    -- the name in use, for staff
    called     TEXT   NOT NULL,                    -- form of address in messages, own script
    legal_name TEXT   NOT NULL DEFAULT '',         -- staff only
    birth_date TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

CREATE TABLE staff (
    id            BIGINT PRIMARY KEY,
    site_id       BIGINT NOT NULL REFERENCES site (id),
    person_id     BIGINT NOT NULL REFERENCES person (id),
    email         TEXT   NOT NULL UNIQUE,          -- lower case
    role          TEXT   NOT NULL CHECK (role IN ('coordinator', 'supervisor', 'admin')),
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);

CREATE TABLE session (
    token_hash TEXT   PRIMARY KEY,                 -- the cookie's SHA-256; the token itself is nowhere
    staff_id   BIGINT NOT NULL REFERENCES staff (id),
    csrf       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,                    -- machine time, as the two below
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sign_in_failure (
    email TEXT   NOT NULL,
    at    BIGINT NOT NULL                          -- machine time
);
CREATE INDEX sign_in_failure_by_email ON sign_in_failure (email, at);

CREATE TABLE patient (
    id             BIGINT  PRIMARY KEY,
    site_id        BIGINT  NOT NULL REFERENCES site (id),
    person_id      BIGINT  NOT NULL REFERENCES person (id),
    external_id    TEXT    NOT NULL,
    coordinator_id BIGINT  REFERENCES staff (id),
    backup_id      BIGINT  REFERENCES staff (id),
    lang           TEXT    NOT NULL,
    zone           TEXT    NOT NULL,
    tags           TEXT    NOT NULL DEFAULT '',    -- separated by spaces
    window_start   BIGINT,                         -- minutes of the day; NULL: the site's window
    window_end     BIGINT,
    discreet       BOOLEAN NOT NULL DEFAULT FALSE, -- neutral wording always
    safe_note      TEXT    NOT NULL DEFAULT '',    -- read before any contact
    safe_checked   TEXT    NOT NULL DEFAULT '',    -- local date on which it was last confirmed
    deceased_at    BIGINT,
    created_at     BIGINT  NOT NULL,
    UNIQUE (site_id, external_id)
);
CREATE INDEX patient_by_coordinator ON patient (coordinator_id);

CREATE TABLE contact (
    id           BIGINT PRIMARY KEY,
    site_id      BIGINT NOT NULL REFERENCES site (id),
    person_id    BIGINT NOT NULL REFERENCES person (id),
    channel      TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    address_hash TEXT   NOT NULL,                  -- keyed: the only thing that is searched
    rank         BIGINT NOT NULL DEFAULT 1,
    class        TEXT   NOT NULL DEFAULT 'logistics' CHECK (class IN ('logistics', 'care', 'clinical')),
    state        TEXT   NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closed')),
    closed_why   TEXT   NOT NULL DEFAULT '',
    terms        TEXT   NOT NULL DEFAULT '',       -- what may be done with this one contact
    verified_at  BIGINT,
    created_at   BIGINT NOT NULL,
    UNIQUE (person_id, channel, address_hash)
);
CREATE INDEX contact_by_address ON contact (channel, address_hash);

CREATE TABLE thread (
    id           BIGINT PRIMARY KEY,
    site_id      BIGINT NOT NULL REFERENCES site (id),
    channel      TEXT   NOT NULL,
    address_hash TEXT   NOT NULL,
    person_id    BIGINT NOT NULL REFERENCES person (id),
    patient_id   BIGINT NOT NULL REFERENCES patient (id),
    contact_id   BIGINT NOT NULL REFERENCES contact (id),
    question     TEXT   NOT NULL DEFAULT '',       -- the open question as JSON; empty: none
    question_due BIGINT,                           -- until when it may be answered
    version      BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    UNIQUE (channel, address_hash, person_id, patient_id)
);
CREATE INDEX thread_by_patient ON thread (patient_id);

CREATE TABLE protocol_version (
    hash        TEXT   PRIMARY KEY,                -- SHA-256 of the text
    protocol    TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    title       TEXT   NOT NULL,
    text        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE enrolment (
    id            BIGINT PRIMARY KEY,
    site_id       BIGINT NOT NULL REFERENCES site (id),
    patient_id    BIGINT NOT NULL REFERENCES patient (id),
    protocol      TEXT   NOT NULL,
    protocol_hash TEXT   NOT NULL REFERENCES protocol_version (hash),
    settings      TEXT   NOT NULL DEFAULT '{}',
    state         TEXT   NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'ended')),
    started_at    BIGINT NOT NULL,
    ended_at      BIGINT
);
CREATE UNIQUE INDEX enrolment_once ON enrolment (patient_id, protocol) WHERE state <> 'ended';

-- An occurrence is recorded once for ever: whatever crashes, nothing is planned twice.
CREATE TABLE occurrence (
    key TEXT   PRIMARY KEY,                        -- enrolment:step:anchor:local-date[:slot]
    at  BIGINT NOT NULL
);

-- The only table swept for time.
CREATE TABLE timer (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL,
    patient_id BIGINT,
    kind       TEXT   NOT NULL CHECK (kind IN ('step', 'question', 'deadline', 'hold', 'doubt')),
    subject    BIGINT NOT NULL,
    detail     TEXT   NOT NULL DEFAULT '',         -- which step, which anchor
    slot       TEXT   NOT NULL DEFAULT '',         -- the local date that it stands for
    version    BIGINT NOT NULL DEFAULT 0,
    due_at     BIGINT NOT NULL,
    priority   BIGINT NOT NULL,
    UNIQUE (kind, subject, detail)
);
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE goal (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES site (id),
    patient_id BIGINT NOT NULL REFERENCES patient (id),
    words      TEXT   NOT NULL,                    -- the patient's own
    gloss      TEXT   NOT NULL DEFAULT '',         -- English, if somebody gave it
    target     DOUBLE PRECISION,
    unit       TEXT   NOT NULL DEFAULT '',
    due_date   TEXT   NOT NULL DEFAULT '',
    confidence BIGINT,                             -- 0-10
    barriers   TEXT   NOT NULL DEFAULT '',
    state      TEXT   NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'met', 'dropped', 'replaced')),
    created_at BIGINT NOT NULL
);
CREATE INDEX goal_by_patient ON goal (patient_id);

CREATE TABLE appointment (
    id          BIGINT PRIMARY KEY,
    site_id     BIGINT NOT NULL REFERENCES site (id),
    patient_id  BIGINT NOT NULL REFERENCES patient (id),
    external_id TEXT   NOT NULL,
    starts_at   BIGINT NOT NULL,
    zone        TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('booked', 'confirmed', 'reschedule', 'cant_come', 'cancelled', 'kept', 'missed')),
    why         TEXT   NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 1,         -- rises when the visit moves; older reminders are void
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (site_id, external_id)
);
CREATE INDEX appointment_by_patient ON appointment (patient_id, starts_at);
CREATE INDEX appointment_by_time ON appointment (starts_at);

CREATE TABLE message (
    id             BIGINT PRIMARY KEY,
    site_id        BIGINT NOT NULL REFERENCES site (id),
    patient_id     BIGINT REFERENCES patient (id), -- NULL: an answer to somebody unknown
    thread_id      BIGINT REFERENCES thread (id),
    contact_id     BIGINT,                         -- where the last attempt went
    enrolment_id   BIGINT,
    occurrence     TEXT   NOT NULL DEFAULT '',
    appointment_id BIGINT,
    appointment_version BIGINT,
    inbox_id       BIGINT,                         -- what it answers
    staff_id       BIGINT,                         -- who wrote it
    to_address     TEXT   NOT NULL DEFAULT '',     -- only where there is no contact
    via_gateway    TEXT   NOT NULL DEFAULT '',     -- only where there is no contact
    class          TEXT   NOT NULL,
    content        TEXT   NOT NULL,
    priority       BIGINT NOT NULL,
    key            TEXT   NOT NULL,                -- message of the catalogue; "staff": body as written
    args           TEXT   NOT NULL,
    question       TEXT   NOT NULL DEFAULT '',     -- what it asks, as JSON
    lang           TEXT   NOT NULL,
    catalogue      TEXT   NOT NULL DEFAULT '',
    body           TEXT   NOT NULL DEFAULT '',     -- as sent
    body_lang      TEXT   NOT NULL DEFAULT '',
    encoding       TEXT   NOT NULL DEFAULT '',
    segments       BIGINT NOT NULL DEFAULT 0,
    state          TEXT   NOT NULL CHECK (state IN ('planned', 'held', 'queued', 'sending', 'accepted', 'sent', 'delivered', 'read',
                                                    'skipped', 'expired', 'cancelled', 'failed', 'unknown')),
    why            TEXT   NOT NULL DEFAULT '',     -- reason or provider code of the state
    attempts       BIGINT NOT NULL DEFAULT 0,      -- also the fencing number of the claim
    ready_at       BIGINT NOT NULL,                -- machine time: not before
    lease_owner    TEXT   NOT NULL DEFAULT '',
    lease_until    BIGINT,                         -- machine time
    planned_at     BIGINT NOT NULL,
    expires_at     BIGINT,
    state_at       BIGINT NOT NULL
);
CREATE INDEX message_queued ON message (priority, ready_at, id) WHERE state = 'queued';
CREATE INDEX message_sending ON message (lease_until) WHERE state = 'sending';
CREATE INDEX message_by_patient ON message (patient_id, planned_at);
CREATE INDEX message_look ON message (state_at) WHERE state IN ('unknown', 'failed');
CREATE INDEX message_by_visit ON message (appointment_id) WHERE appointment_id IS NOT NULL;

CREATE TABLE attempt (
    message_id  BIGINT NOT NULL REFERENCES message (id),
    n           BIGINT NOT NULL,
    patient_id  BIGINT,
    contact_id  BIGINT,
    gateway     TEXT   NOT NULL,
    lease_owner TEXT   NOT NULL,
    reference   TEXT   NOT NULL,                   -- random: what receipts name
    provider_id TEXT   NOT NULL DEFAULT '',
    outcome     TEXT   NOT NULL DEFAULT '',        -- accepted busy unknown blocked unreachable misconfigured
    code        TEXT   NOT NULL DEFAULT '',
    receipt     TEXT   NOT NULL DEFAULT '',
    receipt_at  BIGINT,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    PRIMARY KEY (message_id, n)
);
CREATE UNIQUE INDEX attempt_by_reference ON attempt (reference);
CREATE INDEX attempt_by_provider ON attempt (gateway, provider_id) WHERE provider_id <> '';

CREATE TABLE decision (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL,
    patient_id BIGINT,
    message_id BIGINT,
    occurrence TEXT   NOT NULL DEFAULT '',
    at         BIGINT NOT NULL,
    outcome    TEXT   NOT NULL CHECK (outcome IN ('send', 'hold', 'skip', 'merge', 'reroute')),
    reason     TEXT   NOT NULL,
    until      BIGINT,
    facts      TEXT   NOT NULL                     -- hash of what it was decided from
);
CREATE INDEX decision_by_patient ON decision (patient_id, at);
CREATE INDEX decision_by_message ON decision (message_id);

CREATE TABLE inbox (
    id           BIGINT PRIMARY KEY,
    gateway      TEXT   NOT NULL,
    dedupe       TEXT   NOT NULL UNIQUE,           -- gateway:provider id, or a hash where there is none
    kind         TEXT   NOT NULL CHECK (kind IN ('message', 'receipt')),
    channel      TEXT   NOT NULL,
    address      TEXT   NOT NULL DEFAULT '',
    address_hash TEXT   NOT NULL DEFAULT '',
    body         TEXT   NOT NULL DEFAULT '',
    reference    TEXT   NOT NULL DEFAULT '',       -- receipts: our reference
    provider_id  TEXT   NOT NULL DEFAULT '',
    receipt      TEXT   NOT NULL DEFAULT '',       -- receipts: state
    code         TEXT   NOT NULL DEFAULT '',
    priority     BIGINT NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('new', 'done', 'failed')),
    tries        BIGINT NOT NULL DEFAULT 0,
    received_at  BIGINT NOT NULL,
    done_at      BIGINT,
    site_id      BIGINT,
    patient_id   BIGINT,
    thread_id    BIGINT,
    severity     TEXT   NOT NULL DEFAULT '',
    verdict      TEXT   NOT NULL DEFAULT '',       -- findings with their rules and versions, as JSON
    read_as      TEXT   NOT NULL DEFAULT ''        -- what it was understood as, in words for staff
);
CREATE INDEX inbox_new ON inbox (priority, id) WHERE state = 'new';
CREATE INDEX inbox_by_patient ON inbox (patient_id, received_at);

CREATE TABLE consent_event (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES site (id),
    patient_id BIGINT NOT NULL REFERENCES patient (id),
    contact_id BIGINT,
    action     TEXT   NOT NULL CHECK (action IN ('given', 'withdrawn')),
    purpose    TEXT   NOT NULL DEFAULT 'all',
    scope      TEXT   NOT NULL DEFAULT 'all',
    class      TEXT   NOT NULL DEFAULT 'logistics',
    method     TEXT   NOT NULL,                    -- desk, web form, text, paper, import
    lang       TEXT   NOT NULL,
    wording    TEXT   NOT NULL DEFAULT '',         -- what was shown: key and version
    proof      TEXT   NOT NULL DEFAULT '',
    by_staff   BIGINT,
    inbox_id   BIGINT,
    at         BIGINT NOT NULL
);
CREATE INDEX consent_by_patient ON consent_event (patient_id, at);

CREATE TABLE reading (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES site (id),
    patient_id BIGINT NOT NULL REFERENCES patient (id),
    kind       TEXT   NOT NULL,                    -- weight, goal, wellbeing
    value      DOUBLE PRECISION,
    unit       TEXT   NOT NULL DEFAULT '',
    words      TEXT   NOT NULL DEFAULT '',         -- free text where there is no number
    source     TEXT   NOT NULL,                    -- patient, staff
    inbox_id   BIGINT,
    corrects   BIGINT,                             -- the reading that this one stands beside
    at         BIGINT NOT NULL
);
CREATE INDEX reading_by_patient ON reading (patient_id, kind, at);

CREATE TABLE escalation (
    id          BIGINT PRIMARY KEY,
    site_id     BIGINT NOT NULL REFERENCES site (id),
    patient_id  BIGINT REFERENCES patient (id),    -- NULL: somebody unknown wrote, or our own trouble
    inbox_id    BIGINT,                            -- the words that opened it
    severity    TEXT   NOT NULL CHECK (severity IN ('routine', 'urgent', 'emergency')),
    category    TEXT   NOT NULL,
    reason      TEXT   NOT NULL,                   -- a sentence for staff
    state       TEXT   NOT NULL CHECK (state IN ('open', 'claimed', 'resolved')),
    opened_at   BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,                   -- to be claimed by
    rung        BIGINT NOT NULL DEFAULT 0,         -- 0 coordinator, 1 backup, 2 everyone
    owner_id    BIGINT REFERENCES staff (id),
    claimed_at  BIGINT,
    resolved_at BIGINT,
    outcome     TEXT   NOT NULL DEFAULT '',
    version     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX escalation_waiting ON escalation (severity, due_at) WHERE state <> 'resolved';
CREATE INDEX escalation_by_patient ON escalation (patient_id, opened_at);

CREATE TABLE escalation_event (
    id            BIGINT PRIMARY KEY,
    escalation_id BIGINT NOT NULL REFERENCES escalation (id),
    patient_id    BIGINT,
    at            BIGINT NOT NULL,
    kind          TEXT   NOT NULL,                 -- opened raised told late claimed resolved wrote
    staff_id      BIGINT,
    inbox_id      BIGINT,
    detail        TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX escalation_event_by_item ON escalation_event (escalation_id, id);

CREATE TABLE note (
    id            BIGINT PRIMARY KEY,
    site_id       BIGINT NOT NULL REFERENCES site (id),
    patient_id    BIGINT REFERENCES patient (id),
    escalation_id BIGINT,
    staff_id      BIGINT NOT NULL,
    text          TEXT   NOT NULL,                 -- never sent to the patient
    at            BIGINT NOT NULL
);
CREATE INDEX note_by_patient ON note (patient_id, at);

-- Chained per node: each row's hash covers the one before it.
CREATE TABLE audit (
    node       BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    staff_id   BIGINT,
    patient_id BIGINT,
    action     TEXT   NOT NULL,
    subject    TEXT   NOT NULL DEFAULT '',
    hash       TEXT   NOT NULL,
    PRIMARY KEY (node, seq)
);
CREATE INDEX audit_by_patient ON audit (patient_id, at);

-- Node numbers for ids, leased: two processes never make the same id.
CREATE TABLE node (
    id          BIGINT PRIMARY KEY,
    owner       TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,                   -- machine time
    high        BIGINT NOT NULL                    -- no id of this node is later than this
);

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
