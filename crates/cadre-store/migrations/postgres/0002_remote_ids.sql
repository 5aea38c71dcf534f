-- An id follows from the remote id: nothing is looked up by the latter. And an index of PostgreSQL has no
-- room for a very long one.
DROP INDEX records_remote;
