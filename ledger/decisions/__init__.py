"""Decisions: pure functions from a state and a command to facts. No store, no clock, no chance.

person              who somebody is, and may be erased
correction          a person's data as somebody typed them anew
card, account       whose a card is, from whom it may receive money; a registration
opening             a card's balance from before this ledger
employer            an employer and its names
amounts             whether received amounts are those of their rule
remittance          one payer's month: lines posted, suspended, released, taken back
merge               a card points to another of the same person
join                two records of one person joined, and apart again
reassign            a card that hangs on the wrong person
held_again          posted lines that wait once more
remittance_months   what an employer remitted, month by month
scheme, proposal    what is declared for everybody; four eyes over it
reason              reasons are codes of closed lists
month_difference    what a corrected list changes in a month
"""
