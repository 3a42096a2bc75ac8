"""The ledger: what happened, decided once and kept for ever.

    money         whole rupiah, one rounding rule
    identifiers   KPJ, NIK, NPP, months, the names of streams
    rules         rates, bands, choices and limits as dated data (rules.toml)
    events        every fact and its stored shape
    errors        every code, with its sentences (codes.toml)

    employer, person, account, remittance   decisions: pure functions from a stream's state to new facts
    suspense, reversal                       money that waits, money taken back

    codec         a fact as stored bytes
    log           the events in one order, appended in one transaction with
    register      who may receive money, never behind the log
    vault         personal data's keys and look-ups, outside the log, erasable
    request       idempotency keys
    database      one way to talk SQL to SQLite and PostgreSQL
    settings      the one configuration, JHT_*

    ingestion/    from any door's input to events: readers, checks, receipts

Imports run one way: api -> projections -> ledger.
"""
