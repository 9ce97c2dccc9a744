-- Who may do what only one process does at a time: listening to a bot.
CREATE TABLE lease (
    name        TEXT   PRIMARY KEY,
    owner       TEXT   NOT NULL,
    lease_until BIGINT NOT NULL                    -- machine time
);

-- A way in that opens once: who follows it is this person, on this channel. The token itself is nowhere but in the link.
CREATE TABLE link (
    id         BIGINT PRIMARY KEY,
    site_id    BIGINT NOT NULL REFERENCES site (id),
    patient_id BIGINT NOT NULL REFERENCES patient (id),
    person_id  BIGINT NOT NULL REFERENCES person (id),
    channel    TEXT   NOT NULL,
    token_hash TEXT   NOT NULL UNIQUE,             -- SHA-256 of the token
    class      TEXT   NOT NULL CHECK (class IN ('logistics', 'care', 'clinical')),
    staff_id   BIGINT NOT NULL REFERENCES staff (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    void_at    BIGINT,                             -- a newer one took its place
    used_at    BIGINT
);
CREATE INDEX link_by_patient ON link (patient_id, channel, created_at);
