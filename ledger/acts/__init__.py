"""Acts: a decision taken against the store by `store.handle`; what was read is decided, appended, tried again.

person              corrected, erased, exported
openings, reversal  an upload of opening balances or contributions taken back
release             waiting lines posted, by themselves or by an officer
scheme, proposal    declared for everybody: by one person, or by two
merge               cards merged and un-merged
remittances         the states of remittance streams as the log has them
remittance_months   an employer's months as the log has them
"""
