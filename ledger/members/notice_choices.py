"""What a member wants to be told without asking: chosen on the website, in the app, by SMS, at the branch."""

from __future__ import annotations

from ledger.events import Fact
from ledger.members import rows
from ledger.members.acts import Acting, Acts, Seal, nothing
from ledger.members.state import NOTICES, Member, Notices, decide_notices, told_at
from ledger.store import notices
from ledger.store.database import Transaction, Write


class NoticeChoices(Acts):
    """Notices chosen and stopped."""

    def choose_notices(self, person: str, chosen: Notices, acting: Acting) -> None:
        """Be told of this from now on, in place of what was chosen before, in the language of `acting`.

        Every known contact hears of a change, as of any change of access: who could switch notices on elsewhere would be
        told of somebody's wages. Raises as `decide_notices`.
        """
        contact = self.contact_of(person)
        wanted = chosen._replace(language=acting.language)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_notices(state, wanted, told_at(state.state, key.address(state).email, contact.email))
            if fact is None:
                return [], nothing

            def write(tx: Transaction) -> None:
                choice = notices.Choice(self.log.head_in(tx), fact.language)
                notices.choose(tx, person, {"mail": fact.mail, "sms": fact.sms}, choice)
                told = key.open("phone", state.phone) if acting.channel == "sms" else ""
                self.tell_known(tx, person, key.known(state, contact), "notices-chosen", acting, but=told)

            return [fact], write

        self.act(person, acting, decide)

    def notices_by_sms(self, phone: str, wanted: bool, acting: Acting) -> bool:
        """A bound phone wants all notices, or none any more; False when it is bound to nobody."""
        with self.log.database.read() as tx:
            person = rows.owner_of(tx, self.vault.phone_hash(tx, phone))
        if person is None:
            return False
        there = self.about(person).notices
        language = there.language if there.mail or there.sms else acting.language
        chosen = there._replace(sms=NOTICES if wanted else ())
        self.choose_notices(person, chosen, acting._replace(language=language))
        return True
