"""Coming in with a passkey (WebAuthn, by the library `webauthn`), and what a browser is told to make or show one.

A passkey is bound to the host of JHT_PUBLIC_URL, and its answers to that origin: no other site gets one that is worth
anything here. The authenticator must have verified the person (finger, face or PIN), so a passkey alone is two factors. It
is found by what the authenticator calls it: nobody types a name, and no answer tells whether somebody has one.

A count that does not grow means that two hold the same passkey: it opens nothing then, and the member is told. Passkeys
that are kept in several devices at once, as phones do, count nothing and say 0.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from api.access import guard as guards
from api.access.challenges import ADD, ENTER, LASTS, Challenges
from api.access.devices import Devices
from api.access.guard import Guard, Work
from api.access.login import Ask, Entered
from api.access.sessions import MEMBER
from ledger.errors import Refused
from ledger.members import Acting, Members, NewPasskey, Passkey
from ledger.settings import Settings
from ledger.store.log import Log

SITE = "Saldo JHT"
"""What an authenticator calls the service."""
COPIES_TOLD = "1/day"
_TIMEOUT_MS = int(LASTS.total_seconds()) * 1_000
_VERIFIED = UserVerificationRequirement.REQUIRED


class _Signed(NamedTuple):
    """What a browser says that a passkey signed, and the challenge in it: read, and not yet believed."""

    credential: AuthenticationCredential
    challenge: bytes


class _Made(NamedTuple):
    """What a browser says that an authenticator made for us, and the challenge that it answers."""

    passkey: NewPasskey
    challenge: bytes


class PasskeyDoor:
    """Lets members in by passkey, and takes new ones."""

    def __init__(
        self, settings: Settings, log: Log, members: Members, challenges: Challenges, guard: Guard, devices: Devices,
        ask: Ask, work: Work,
    ) -> None:  # fmt: skip
        self._host, self._origin = settings.passkey_host, settings.public_url
        self._log, self._members, self._challenges = log, members, challenges
        self._guard, self._devices, self._ask, self._work = guard, devices, ask, work

    # --- what the browser is told

    def to_enter(self, holder: str, acting: Acting) -> str:
        """The options of `navigator.credentials.get`, as JSON; `holder`: the token of the visitor's forms."""
        challenge = self._challenges.make(ENTER, holder, acting.now)
        return options_to_json(
            generate_authentication_options(
                rp_id=self._host, challenge=challenge, timeout=_TIMEOUT_MS, user_verification=_VERIFIED
            )
        )

    def to_add(self, person: str, name: str, shown: str, holder: str, acting: Acting) -> str:
        """The options of `navigator.credentials.create`, as JSON: for a member who has just given the password. Blocking.

        `name`, `shown`: what the authenticator lists the account by; they go to the member's own browser only.
        """
        known = [PublicKeyCredentialDescriptor(one.credential) for one in self._members.passkeys_of(person)]
        return options_to_json(
            generate_registration_options(
                rp_id=self._host, rp_name=SITE, user_id=self._handle(person), user_name=name, user_display_name=shown,
                challenge=self._challenges.make(ADD, f"{person} {holder}", acting.now), timeout=_TIMEOUT_MS,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
                ),
                exclude_credentials=known,
            )
        )  # fmt: skip

    # --- what comes back

    async def add(self, person: str, given: str, holder: str, acting: Acting) -> None:
        """Keep what an authenticator made. Every session has ended then.

        Raises Refused: passkey-not-kept, and as `Members.add_passkey`.
        """
        made = self._made(given)
        if made is None or not self._challenges.is_good(made.challenge, ADD, f"{person} {holder}", acting.now):
            raise Refused("passkey-not-kept")
        if not await self._work(lambda: self._challenges.use(made.challenge, acting.now)):
            raise Refused("passkey-not-kept")
        await self._work(lambda: self._members.add_passkey(person, made.passkey, acting))

    async def enter(self, given: str, holder: str, address: str, acting: Acting, marks: str = "") -> Entered:
        """Whose passkey signed the challenge that `holder` was given. `address`, `marks` as in `Login.member`.

        Raises Refused: passkey-wrong (whatever was wrong), passkey-copied, too-many-tries.
        """
        clock = asyncio.get_running_loop().time
        answered = clock() + guards.SLOW_SECONDS[0]
        signed = self._signed(given)
        known = await self._ask(self._members.passkey, signed.credential.raw_id) if signed else None
        if known is None or not self._devices.known(marks, MEMBER, known.person):
            await self._guard.pace(address)
        entered = await self._entered(signed, known, holder, acting) if signed and known else None
        self._note(known, entered, address, acting)
        if entered is None:
            await self._guard.wrong(address)
            await asyncio.sleep(max(0.0, answered - clock()))
            raise Refused("passkey-wrong")
        return entered

    async def _entered(self, signed: _Signed, known: Passkey, holder: str, acting: Acting) -> Entered | None:
        good = self._challenges.is_good(signed.challenge, ENTER, holder, acting.now)
        if not good or not await self._work(lambda: self._challenges.use(signed.challenge, acting.now)):
            return None
        count = self._count(signed, known)
        if count is None:
            return None
        if not await self._work(lambda: self._members.use_passkey(known, count, acting)):
            self._note(known, None, "", acting, "copied")
            await self._tell(known.person, acting)
            raise Refused("passkey-copied")
        login = await self._ask(self._members.login_of, known.person)
        return Entered(MEMBER, known.person, login.epoch) if login is not None else None

    def _signed(self, given: str) -> _Signed | None:
        """What came to log in, None when it cannot be read."""
        try:
            credential = parse_authentication_credential_json(given)
            return _Signed(credential, parse_client_data_json(credential.response.client_data_json).challenge)
        except Exception:
            return None  # a stranger's bytes: whatever a reader of JSON, CBOR or keys stumbles over

    def _count(self, signed: _Signed, known: Passkey) -> int | None:
        """How often the authenticator says it was used, None when the signature is not the passkey's for us."""
        if signed.credential.response.user_handle != self._handle(known.person):
            return None
        try:
            verified = verify_authentication_response(
                credential=signed.credential, expected_challenge=signed.challenge, expected_rp_id=self._host,
                expected_origin=self._origin, credential_public_key=known.public_key,
                credential_current_sign_count=0, require_user_verification=True,  # the count is compared by us
            )  # fmt: skip
        except Exception:
            return None  # as above
        return verified.new_sign_count

    def _made(self, given: str) -> _Made | None:
        """What came to be kept, None when it cannot be read or is not for us."""
        try:
            credential = parse_registration_credential_json(given)
            challenge = parse_client_data_json(credential.response.client_data_json).challenge
            verified = verify_registration_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=self._host,
                expected_origin=self._origin, require_user_verification=True,
            )  # fmt: skip
        except Exception:
            return None  # as above
        made = NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)
        return _Made(made, challenge)

    # --- who is told

    async def _tell(self, person: str, acting: Acting) -> None:
        try:
            await self._guard.take(COPIES_TOLD, "passkey-copied", person)
        except Refused:
            return  # whoever has the copy could fill the mailbox
        await self._work(lambda: self._members.tell_of_copy(person, acting))

    def _note(
        self, known: Passkey | None, entered: Entered | None, address: str, acting: Acting, said: str = ""
    ) -> None:
        structlog.get_logger().info(
            "login", kind=MEMBER, by="passkey", channel=acting.channel,
            outcome=said or ("accepted" if entered else "refused"),
            who=self._guard.trace(MEMBER, known.person) if known else "",
            source=self._guard.trace("address", address), request=acting.request,
        )  # fmt: skip

    def _handle(self, person: str) -> bytes:
        """What an authenticator keeps beside the passkey: leads to nobody, and is the same under another master key."""
        return bytes.fromhex(self._log.hmac("passkeys", person.encode()))
