"""The ledger: what happened, decided once and kept for ever.

    money         whole rupiah, one rounding rule
    numbers       how a number stands in a sentence of either language
    clock, days   now, and the date that counts in Jakarta; days as numbers
    identifiers   KPJ, NIK, NPP, months, the names of streams
    contacts      phone numbers and e-mail addresses, in one form
    yields        the policy of yield: what savings earn
    rules         rates, bands, choices and limits as dated data (rules.toml)
    errors        every code, with its sentences (codes.toml)
    layouts, fields   which columns an input has, what a cell means
    receipt       what became of every line of an input
    due_days      when a month's contribution is due; quiet_hours: when nobody is told anything
    simulation    what savings may become
    output_file   files that are written for people
    settings      the one configuration, JHT_*

    events        every fact and its stored shape
    decisions/    pure functions from a stream's state to new facts
    store/        the log and what is written together with it
    acts/         a decision taken against the store
    members/      who may see their own accounts from outside
    ingestion/    from any door's input to events

Imports run one way: api -> projections -> ledger; within, from the bottom of this list to its top (pyproject.toml has
the contracts).
"""

__version__ = "0.2.0"
