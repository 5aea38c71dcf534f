-- What can be ordered in the customer's tool. One that was left out of a later list is deleted, not gone:
-- orders name it.
CREATE TABLE assessment_packages (
    integration_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    PRIMARY KEY (integration_id, id)
);

-- What was ordered. Ids are random: a tool may order the same thing twice.
CREATE TABLE assessment_orders (
    integration_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    package_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    inline BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Candidate, application and job, as callers see them.
    body TEXT COLLATE "C" NOT NULL,
    -- What the tool said beside it, which its connector needs later.
    context TEXT COLLATE "C" NOT NULL,
    -- Where the candidate is sent, and why the order was rejected, as the receiver said.
    assessment_url TEXT COLLATE "C",
    rejection TEXT COLLATE "C",
    -- Whether a receiver has answered.
    answered_at BIGINT,
    -- The result, and when the tool had it.
    result TEXT COLLATE "C",
    handed_over_at BIGINT,
    PRIMARY KEY (integration_id, id)
);
CREATE INDEX assessment_orders_by_status ON assessment_orders (integration_id, status, id);
