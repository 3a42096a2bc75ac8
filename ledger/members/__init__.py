"""Members: people who may see their own accounts from outside. `Members` has every act; each file is one part of it.

access         `Members`: all acts together, the cards a member sees
state          a member, purely decided; acts: what every act has in common; rows: the tables beside the log
registration   asking for access; confirming: asking the known contacts about one that is not known
contacts, phones, numbers   another address or phone; phones that balances go to; one-time numbers that prove a phone
passwords      forgotten, chosen anew; passkeys: added and taken away, passkey_rows: their table
requests       about the own data: a copy, a correction, erasure
notice_choices what a member wants to be told; memberships: what an employer's program recorded is told
reassignment   a card that hung on the wrong person; joining: two records that are one person
shown          how contacts are written for people

No answer to somebody who is not yet known says whether a person exists or what did not match: letters say it, to
addresses that belong to whoever may know. Each act is durable, with its letters, when it returns.
"""

from __future__ import annotations

from ledger.members.access import Members
from ledger.members.acts import About, Acting, Seen
from ledger.members.passkey_rows import Passkey
from ledger.members.passkeys import NewPasskey
from ledger.members.phones import Phone
from ledger.members.registration import Claim
from ledger.members.requests import DataRequest
from ledger.members.rows import Link, LinkedCard, Login
from ledger.members.shown import masked_email, masked_phone, whole_phone

__all__ = [
    "About", "Acting", "Claim", "DataRequest", "Link", "LinkedCard", "Login", "Members", "NewPasskey", "Passkey", "Phone",
    "Seen", "masked_email", "masked_phone", "whole_phone",
]  # fmt: skip
