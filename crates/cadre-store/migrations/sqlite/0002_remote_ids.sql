-- An id follows from the remote id: nothing is looked up by the latter.
DROP INDEX records_remote;
