-- Public job postings, their application forms, and applications that are sent through them.

-- Whose postings they are. A site of a feed comes of a label in it; others were made by hand.
CREATE TABLE career_sites (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    feed_id TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);

-- A source of postings. Whoever imports into it holds its lease, so that there is one import at a time.
CREATE TABLE job_feeds (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    lease_token TEXT,
    lease_until BIGINT,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE feed_imports (
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    feed_id TEXT NOT NULL,
    -- running, done, refused, timed_out or broken
    state TEXT NOT NULL,
    created_count BIGINT NOT NULL DEFAULT 0,
    processed_count BIGINT NOT NULL DEFAULT 0,
    archived_count BIGINT NOT NULL DEFAULT 0,
    -- Why it did not end well.
    message TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX feed_imports_by_time ON feed_imports (environment_id, feed_id, started_at);

-- The lines of an import that is under way. Nothing reads them but the end of that import.
CREATE TABLE feed_lines (
    import_id TEXT NOT NULL,
    posting_id TEXT NOT NULL,
    career_site_id TEXT NOT NULL,
    label TEXT NOT NULL,
    url TEXT NOT NULL,
    job_code TEXT,
    country TEXT,
    postal_code TEXT,
    PRIMARY KEY (import_id, posting_id)
);

-- The id is made of career site, URL and job code: what has the same three is the same posting.
CREATE TABLE job_postings (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    career_site_id TEXT NOT NULL,
    feed_id TEXT,
    -- The last import that named it.
    import_id TEXT,
    url TEXT NOT NULL,
    job_code TEXT,
    country TEXT,
    postal_code TEXT,
    availability TEXT NOT NULL,
    archived_at BIGINT,
    archived_reason TEXT,
    -- The form that applications are taken with.
    form_id TEXT,
    -- What the page says of the job, as JSON.
    job TEXT,
    -- What came of the last look at the page, in words.
    note TEXT,
    parsed_at BIGINT,
    -- When the page is looked at next; 0 is before all others.
    parse_at BIGINT,
    parse_failures BIGINT NOT NULL DEFAULT 0,
    lease_token TEXT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX job_postings_due ON job_postings (parse_at) WHERE parse_at IS NOT NULL;
CREATE INDEX job_postings_of_feed ON job_postings (environment_id, feed_id, archived_at);
CREATE INDEX job_postings_changed ON job_postings (environment_id, updated_at);

-- Forms as they were read. One that was handed out is kept as long as somebody may apply with it.
CREATE TABLE posting_forms (
    environment_id TEXT NOT NULL,
    posting_id TEXT NOT NULL,
    -- A digest of the form.
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it was last seen on the page, or handed out.
    used_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, posting_id, id)
);
CREATE INDEX posting_forms_by_use ON posting_forms (used_at);

CREATE TABLE posting_applications (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    posting_id TEXT NOT NULL,
    form_id TEXT NOT NULL,
    -- Who applies: a digest of the address, and of the token and answers it came with.
    candidate TEXT NOT NULL,
    request TEXT NOT NULL,
    -- PENDING, SUBMITTED, DUPLICATE or FAILED: what callers are told.
    status TEXT NOT NULL,
    -- queued, sending, uncertain or done: how far the sending is.
    stage TEXT NOT NULL,
    -- What came of it, in words.
    note TEXT,
    -- The answers, encrypted; gone once it is over.
    sealed BLOB,
    data_key BLOB,
    interaction_id TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    submit_at BIGINT,
    lease_token TEXT,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);
-- Nobody applies to a posting twice, unless the first application failed.
CREATE UNIQUE INDEX posting_applications_once ON posting_applications (environment_id, posting_id, candidate)
    WHERE status IN ('PENDING', 'SUBMITTED');
CREATE INDEX posting_applications_due ON posting_applications (submit_at) WHERE submit_at IS NOT NULL;
CREATE INDEX posting_applications_of_posting ON posting_applications (environment_id, posting_id);
