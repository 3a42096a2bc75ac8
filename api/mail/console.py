"""Without a mail server a letter is shown on the terminal that somebody sits at, and nowhere else.

The rule: JHT_SMTP_URL unset (for SMS: JHT_SMS_SEND_URL) and standard error is a terminal. A log file, a journal or a
container's output is none: there the letter waits in the outbox until a server is set or its time is over, because
addresses and links do not belong in logs.
"""

from __future__ import annotations

import sys
from email.message import EmailMessage


def is_terminal() -> bool:
    """Whether somebody sits at standard error."""
    return sys.stderr.isatty()


def show_mail(message: EmailMessage) -> None:
    """A mail's head and plain text on the terminal."""
    text = message.get_body(("plain",))
    assert text is not None
    show(f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text.get_content()}")


def show_sms(to: str, text: str) -> None:
    """An SMS on the terminal."""
    show(f"SMS: {to}\n\n{text}\n")


def show(text: str) -> None:
    """A framed text on standard error, without anything that steers a terminal."""
    lines = ("".join(sign for sign in line if sign.isprintable()) for line in text.rstrip().splitlines())
    sys.stderr.write("\n".join(["", *(f"  | {line}".rstrip() for line in lines), "", ""]))
    sys.stderr.flush()
