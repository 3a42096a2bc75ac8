"""Contributions, from a table to events.

check            rows gathered by remittance, what is refused whole, amounts settled
lookup           what the store knows of them
identity_match   whether NIK and name beside a card are its holder's
decide           what becomes of every line
pipeline         all of it overlapped, each chunk one transaction
"""
