"""Who comes in from outside: members, staff of the agency, employers' people.

`login` is the one decision for every door: `guard` (tries), `passwords` (argon2), then `sessions` for the web or
`tokens` for the mobile app. `users` are the people who are no members, `csrf` and `cookies` belong to forms, `held` is
all of it as one process holds it. What a member is stands in the ledger (`ledger/members.py`).
"""
