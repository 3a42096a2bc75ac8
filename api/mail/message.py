"""A letter as a MIME message: plain text and HTML, nothing loaded from outside, no header that a detail could reach.

Subject and sender are the project's and the operator's own texts; the address is parsed by the library, which refuses a
line break. Message-ID is the outbox's name of the letter: sent twice after a crash, it is the same message.
"""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.mail.texts import said
from ledger.errors import Refused
from ledger.store.outbox import Letter


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def sender_of(mail_from: str) -> Address:
    """The parsed JHT_MAIL_FROM. Raises Refused(setting-wrong)."""
    try:
        name, address = parseaddr(mail_from)
        sender = Address(name, addr_spec=address)
    except (MessageError, ValueError, IndexError):
        sender = Address()
    if not sender.domain or not mail_from.isprintable():
        raise Refused("setting-wrong", what="JHT_MAIL_FROM: must be NAME <ADDRESS>")
    return sender


def composed(letter: Letter, name: str, now: datetime, public_url: str, sender: Address) -> EmailMessage:
    """The mail of a letter; `name`: the outbox's for it.

    Raises Refused(email-unreadable) when no mail can go to the address, KeyError as `texts.said` does.
    """
    words = said(letter, public_url)
    message = EmailMessage(policy.SMTP)
    message["Subject"] = words.subject
    message["From"] = sender
    try:
        message["To"] = Address(addr_spec=letter.to)
    except (MessageError, ValueError, IndexError):
        raise Refused("email-unreadable") from None
    message["Date"] = now
    message["Message-ID"] = f"<{name}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    templates = _templates()
    # Quoted-printable: no relay may wrap a line inside a link.
    message.set_content(templates.get_template("letter.txt").render(said=words), cte="quoted-printable")
    html = templates.get_template("letter.html").render(said=words)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = words.language
    return message
