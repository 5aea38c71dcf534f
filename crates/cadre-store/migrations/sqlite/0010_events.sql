-- The ledger: what happened in an environment, in order, without a gap. Nothing in it is ever changed, but
-- that whose account it was is forgotten with a deleted integration.
CREATE TABLE events (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    sequence BIGINT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    integration_id TEXT,
    -- Events of one subject are delivered one after the other.
    subject TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, sequence)
);

CREATE INDEX events_of_integration ON events (environment_id, integration_id, sequence);

-- The number of the latest event. Whoever appends holds this row until the end of the transaction, so
-- that events are seen in the order of their numbers.
CREATE TABLE event_heads (
    environment_id TEXT NOT NULL PRIMARY KEY REFERENCES environments (id),
    last BIGINT NOT NULL
);

CREATE TABLE webhook_endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    url TEXT NOT NULL,
    -- A JSON list; an empty one means every type.
    types TEXT NOT NULL,
    -- Whether the body holds the number of the delivery.
    numbered BIGINT NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    -- The secrets, encrypted under a data key, which is encrypted under the master key.
    secrets BLOB NOT NULL,
    data_key BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- Up to where the ledger was read for it, and the number of its latest delivery.
    read_through BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    -- When the next delivery that waits is due.
    due_at BIGINT,
    -- It is left alone until then: it asked for it, or nothing but failures came from it.
    not_before BIGINT NOT NULL,
    -- Turns in a row in which nothing was delivered, and since when.
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    lease_until BIGINT,
    lease_token TEXT
);
CREATE INDEX webhook_endpoints_of_environment ON webhook_endpoints (environment_id, id);

CREATE TABLE deliveries (
    endpoint_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    environment_id TEXT NOT NULL,
    event_sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    first_attempt_at BIGINT,
    last_attempt_at BIGINT,
    last_status BIGINT,
    last_error TEXT,
    last_answer TEXT,
    interaction_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX deliveries_of_event ON deliveries (endpoint_id, event_sequence);
CREATE INDEX deliveries_pending ON deliveries (endpoint_id, sequence) WHERE state = 'pending';
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, subject, next_at) WHERE state = 'pending';
