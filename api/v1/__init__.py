"""`/v1`: the API for servers: agency, partners, channels. A file for each address:

accounts, months, statement, simulation   one card: balance, entries, working; its months; its statement; its outlook
persons, totals, suspense   a person's cards together; all cards; the money that waits
answers                     what was answered, again, and why today's answer is another
uploads, reversals          writing; upload_columns: what OpenAPI says of a body, receipts: what every write answers
idempotency                 a write is done once
guesses                     how much of other people a bound key may learn by trying
health                      `/livez`, `/readyz`, `/metrics`
"""
