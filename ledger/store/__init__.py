"""Where facts are kept: the log, and the tables that are written in the same transaction.

log             events in one order, appended together with everything below
codec           an event as bytes and back
handle          the one loop that reads, decides, appends and tries again
scan            a stretch of the log, streamed; known_at: a place in it, named by a position or a moment
account_index   who may receive money: accounts and memberships; account_index_check: held against the log
suspense        the waiting lines
vault           the persons' keys and look-up hashes; joined_persons: of records that were joined
sealing         with one of the keys; employer_names: the names of employers
master_key      where the master key is kept, and what is derived from it
answer_codes    what a paper was answered by, in a code that can be typed
outbox, notices letters that an event caused; what is told without being asked
idempotency     writes with a key, answered the same for ever

database        one way to talk SQL to both stores; transaction: what both offer, sqlite, postgres: how
dialect         what SQL says in two ways; bulk: whole columns into a table; same_rows: whether two tables are equal
recorders, recording, sqlite_recorder, postgres_recorder   the library's recorders, in bulk and under the append lock
migrations      the schema, step by step
place           what can be told about where a ledger is before it is opened; processes: who does something there
backup/         everything that cannot be made again, copied and put back
"""
