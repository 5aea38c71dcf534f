-- The steps that an end customer has to do after signing in, and what they chose, as JSON.
ALTER TABLE integrations ADD COLUMN setup TEXT COLLATE "C" NOT NULL DEFAULT '{}';

-- What a filter of employees can be made of: values, and how many employees have them. No employee.
CREATE TABLE filter_choices (
    integration_id TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    employees BIGINT NOT NULL,
    PRIMARY KEY (integration_id, field, value)
);
