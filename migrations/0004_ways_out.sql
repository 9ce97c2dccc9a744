-- A message whose gateway has no room waits in that gateway's lane, so that it holds up nobody else. Empty: not looked at yet.
ALTER TABLE message ADD COLUMN lane TEXT NOT NULL DEFAULT '';
DROP INDEX message_queued;
CREATE INDEX message_queued ON message (lane, priority, ready_at, id) WHERE state = 'queued';

-- The next rung of the ladder: this message says again, by another contact, what the first one could not bring.
ALTER TABLE message ADD COLUMN rung_of BIGINT;
CREATE INDEX message_rungs ON message (rung_of) WHERE rung_of IS NOT NULL;

-- When the next message of a paced gateway, or to one address of it, may leave: microseconds of machine time.
CREATE TABLE pace (
    key     TEXT   PRIMARY KEY,                    -- a gateway's name, or its name, a slash and an address's hash
    next_at BIGINT NOT NULL
);

-- How each process finds each gateway. A row is written when that changes.
CREATE TABLE gateway_health (
    gateway TEXT   NOT NULL,
    owner   TEXT   NOT NULL,                       -- the process
    state   TEXT   NOT NULL CHECK (state IN ('well', 'failing', 'slow', 'resting')),
    code    TEXT   NOT NULL DEFAULT '',            -- why it rests
    since   BIGINT NOT NULL,                       -- machine time
    until   BIGINT,                                -- when it is tried again
    PRIMARY KEY (gateway, owner)
);
