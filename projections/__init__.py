"""The read side: what the log says, folded into tables that answer in microseconds.

    generations   where read models live: their positions, the pointer that says which one is served
    event_batch   stored events as numpy columns; what cannot be applied is set apart
    places        where generations lie: a file each, or one schema; leases: who is the only one to work at them
    runs          any number of lines in the order of their cards, by way of a temporary file
    balances      one additive row per card, epoch, sub-account and year
    scheme        what was declared for everybody: rates of yield
    entries       one row per line: the statement, any past balance; suspensions: beside it, which lines waited when
    directory     who holds which card, sealed; employers; memberships
    projector     keeps the live generations at the head of the log
    folding       the fold of a whole log, in one process and one pass
    rebuild       builds a generation from zero, compares, swaps, goes back
    compare       where two generations differ
    snapshots     what every query stands on: what is served, how far it is, one snapshot of it
    queries       what the API and the commands ask: balances; people: the directory; history: a card's past
    sql           the statements of the queries; results: their rows and answers
    card_lines    a card's entries as money lines again: its past
    explanation   how a card's yield was worked out, line by line
    month_grid    contributions by month: what came, what did not, why; card_months: what it is told from
    statement     a card's statement of a period; card_statement: what it is told from
    received      what is said of months as a whole; silent_months: those in which an employer sent nothing
    what_if       what a declaration would change, before it is one; earnings: what every card earned
    outlook       what a card's savings may become
    difference    why two answers about a card differ
    totals        what all cards hold, or what one employer has paid
    holdings      what a person has before being erased
    notices/      what members are told without asking
    status        how far everything is
    reactions     what releases suspense after a registration
    journal       the ledger as plain-text accounting

A read model is one file: its table, a pure fold of a batch of events, the write of the outcome. Folds never decrypt and
never look at the clock. Everything here can be thrown away and made again from the log.

How to add a read model: a file as above with `tables`, `indexes` and its fold; its name in `generations.NAMES`, its tables
in `condition`, its comparison in `compare`, its step in `projector` (live) and `folding` (a whole log). Its test ends in
the query that is asked for it. A new shape of a table is noticed by `condition.shape`: the next `jht rebuild` makes it.
"""
