"""The doors: an HTTP API for every channel, and the command `jht`.

app           the FastAPI application; application: what one process holds open while it runs
middleware    an id, a line in the log and a place in the counters for every request
problems      the one table from error codes to HTTP, as problem+json
access/       keys, log-ins, sessions, tokens, and the record of who read what
v1/           the API for servers
mobile/, sms/, web/, mail/   the channels of members, staff and employers
cli/          the command line
sample        the seeded sample of `make demo`
"""
