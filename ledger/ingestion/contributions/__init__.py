"""Contributions, from a table to events.

upload           a table gathered by remittance
check            what is refused whole, amounts settled
declared         what was paid in years whose yield is declared
batch            whole remittances that are decided and committed together
lookup           what the store knows of them
identity_match   whether NIK and name beside a card are its holder's
zeros            numbers whose leading zeros were lost
decide           what becomes of every remittance
line             what becomes of a line that is looked at alone
line_problems    what is told of lines once they are decided
pipeline         all of it overlapped, each chunk one transaction
"""
