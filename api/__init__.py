"""The doors: an HTTP API for every channel, and the command `jht`.

app             the FastAPI application; application: what one process holds open while it runs
server, workers the process that answers, and several of them at one address; header_limit: what a head may cost
middleware      an id, a line in the log (log_lines) and a place in the counters (metrics) for every request
route           FastAPI's route, the short one of the reads asked most, the plain one of pages
parameters      what may be added to an address, past: which past that asks for; request_body: what may be sent
schemas         the answers that all routes share; months_answer, simulation_answer: larger ones; responses: ETag, headers
problems        the one table from error codes to HTTP, as problem+json
reasons         why a month is not posted, in words; month_groups: several months for one reason, said once;
                month_spans: months that follow one another, by the first and the last
balance_loader, coalescer   many present balances in one query, on PostgreSQL
docs, docs_page the description of the API, and the page made of it
formats         how numbers, dates and addresses are written for people; spreadsheet: tables; terminal: what a command says
offered_cards   the cards of a member that are not shown yet
contact_changes how a member asks for another contact, on the website and in the app

access/         keys, log-ins, sessions, tokens, and the record of who read what
v1/             the API for servers
mobile/, sms/, web/, mail/   the channels of members, staff and employers
statement/      a card's statement in four forms
cli/            the command line
sample          the seeded sample of `make demo`

How to add a door: a package beside the others, which imports none of them but `v1`, whose models all share; `app` calls
its `routes`. Who comes in is `access`, what they may see `ledger.members`, what they write goes through
`ledger.ingestion.door`; a look is recorded before its answer leaves. A page of the website begins at `web/desk` or
`web/page_context`. `tests/api/test_walk.py` walks every route of every door as everybody.
"""
