"""The doors: an HTTP API for every channel, and the command `jht`.

app           the FastAPI application; application: what one process holds open while it runs
middleware    an id, a line in the log and a place in the counters (metrics) for every request
problems      the one table from error codes to HTTP, as problem+json
access/       keys, log-ins, sessions, tokens, and the record of who read what
v1/           the API for servers
mobile/, sms/, web/, mail/   the channels of members, staff and employers
cli/          the command line
contact_changes  how a member asks for another contact, on the website and in the app
reasons       why a month is not simply posted, in words; month_groups: several months for one reason, said once
sample        the seeded sample of `make demo`

How to add a door: a package beside the others, which imports none of them but `v1`, whose models all share; `app` calls
its `routes`. Who comes in is `access`, what they may see `ledger.members`, what they write goes through
`ledger.ingestion.door`; a look is recorded before its answer leaves. A page of the website begins at `web/desk` or
`web/page_context`. `tests/api/test_walk.py` walks every route of every door as everybody.
"""
