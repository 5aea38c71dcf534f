-- The steps that an end customer has to do after signing in, and what they chose, as JSON.
ALTER TABLE integrations ADD COLUMN setup TEXT NOT NULL DEFAULT '{}';

-- What a filter of employees can be made of: values, and how many employees have them. No employee.
CREATE TABLE filter_choices (
    integration_id TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    label TEXT NOT NULL,
    employees BIGINT NOT NULL,
    PRIMARY KEY (integration_id, field, value)
) WITHOUT ROWID;
