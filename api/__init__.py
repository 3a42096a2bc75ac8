"""The doors: an HTTP API for every channel, and the command `jht`.

app           the FastAPI application; what is opened while it runs is in `opened`
access        API keys, scopes, objects; records: every read is recorded before it is answered
problems      the one table from error codes to HTTP, as problem+json
accounts, persons, suspense   what may be asked
writing, requests, spool      what may be sent, once, whatever the network does
health, docs  for those who run it and those who call it
cli, commands/   the command line
sample        the seeded sample of `make demo`
"""
