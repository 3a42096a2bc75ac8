"""`/v1/mobile/*`: what the members' app (JMO) asks. Bodies are small, cards are named by opaque handles.

access      who may ask: a member whose device is logged in
schemas     what is sent, and the answers that only apps get
devices     log in, refresh, log out
cards       the member's cards, a balance, its entries, one more card
months, statement, yields   one card's months, statement, working and outlook
notices     of what the member is told without asking; contacts: those on file, and another one
me          who the member is, where logged in, and who looked at the data
routes      all of them
"""
