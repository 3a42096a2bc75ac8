"""Texts that answer nothing, such as a notice from the outbox: to Kannel's sendsms.

Number, text and password travel in headers and body, because addresses end up in logs; over plain HTTP a password goes to
this machine only.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit

import httpx2

from ledger.errors import Refused, Unavailable
from ledger.settings import LOOPBACK, Settings

SECONDS = 10.0
SENDER = "2757"


async def send_sms(settings: Settings, to: str, text: str) -> None:
    """Hand a text over to the gateway at JHT_SMS_SEND_URL; returning means that it took it.

    Raises Refused(setting-wrong) without that setting or with a password in clear, Unavailable(sms-not-sent): try again.
    """
    if settings.sms_send_url is None:
        raise Refused("setting-wrong", what="JHT_SMS_SEND_URL is not set")
    address, user, password = _parted(settings.sms_send_url.get_secret_value())
    headers = {
        "X-Kannel-Username": user,
        "X-Kannel-Password": password,
        "X-Kannel-From": SENDER,
        "X-Kannel-To": to,
        "Content-Type": "text/plain; charset=utf-8",
    }
    try:
        async with httpx2.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            answer = await client.post(address, content=text.encode(), headers=headers)
    except httpx2.HTTPError as error:
        raise Unavailable("sms-not-sent", what=type(error).__name__) from None
    # 202: accepted, or queued while the operator is away.
    if answer.status_code != 202:
        raise Unavailable("sms-not-sent", what=f"HTTP {answer.status_code}")


def _parted(url: str) -> tuple[str, str, str]:
    """http://USER:PASSWORD@HOST/PATH -> the address without, user, password. Raises Refused(setting-wrong)."""
    parts = urlsplit(url)
    if parts.password and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Refused("setting-wrong", what="JHT_SMS_SEND_URL: a password needs https://")
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path, "", ""))
    return address, unquote(parts.username or ""), unquote(parts.password or "")
