"""Contributions, from a table to events.

upload           a table gathered by remittance
check            what is refused whole, amounts settled
batch            whole remittances that are decided and committed together
lookup           what the store knows of them
identity_match   whether NIK and name beside a card are its holder's
zeros            numbers whose leading zeros were lost
decide           what becomes of every line
pipeline         all of it overlapped, each chunk one transaction
"""
