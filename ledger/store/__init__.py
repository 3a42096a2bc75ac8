"""Where facts are kept: the log, and the tables that are written in the same transaction.

log             events in one order, appended together with everything below
codec           an event as bytes and back
database        one way to talk SQL to both stores
handle          the one loop that reads, decides, appends and tries again
account_index   who may receive money: accounts and memberships
suspense        the waiting lines
master_key      where the master key is kept, and what is derived from it
vault           the persons' keys and look-up hashes
outbox          letters that an event caused
place           what can be told about where a ledger is before it is opened
backup/         everything that cannot be made again, copied and put back
idempotency     writes with a key, answered the same for ever
"""
