"""The cookies of the web: the session's, before a login the guest's that forms are bound to, and the device's marks.

The first two die with the browser, the marks (`devices`) stay for a year: whom a device knows, and whose last balance it may
keep (`KEPT`). With https they carry the `__Host-` prefix (RFC
6265bis 4.1.3): no neighbour under the same domain can set or overwrite them.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ledger.settings import Settings

_LONGEST, _LONGEST_MARKS = 128, 512
_YEAR_SECONDS = 365 * 86_400


KEPT = "kept"
"""The kind of mark of a device that may keep an account's last balance."""


def clear_site(response: Response) -> None:
    """Have the browser throw away pages and storage of this site (W3C, "Clear Site Data"), not its cookies."""
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


class Cookies:
    """Reads and writes them as the public address allows."""

    def __init__(self, settings: Settings) -> None:
        self.secure = settings.is_https
        prefix = "__Host-" if self.secure else ""
        self.session_name, self.guest_name = prefix + "jht", prefix + "jht_guest"
        self.marks_name, self.kept_name = prefix + "jht_device", prefix + "jht_kept"

    def session(self, request: Request) -> str:
        """The session's token, "" without one."""
        return request.cookies.get(self.session_name, "")[:_LONGEST]

    def guest(self, request: Request) -> str:
        """The guest's value, "" without one."""
        return request.cookies.get(self.guest_name, "")[:_LONGEST]

    def marks(self, request: Request) -> str:
        """The marks of the device, "" without any."""
        return request.cookies.get(self.marks_name, "")[:_LONGEST_MARKS]

    def set_marks(self, response: Response, marks: str) -> None:
        self._set(response, self.marks_name, marks, _YEAR_SECONDS)

    def kept(self, request: Request) -> str:
        """The marks of those whose last balance this device may keep, "" without any."""
        return request.cookies.get(self.kept_name, "")[:_LONGEST_MARKS]

    def set_kept(self, response: Response, marks: str) -> None:
        if marks:
            self._set(response, self.kept_name, marks, _YEAR_SECONDS)
        else:
            self._drop(response, self.kept_name)

    def set_guest(self, response: Response, value: str) -> None:
        self._set(response, self.guest_name, value)

    def set_session(self, response: Response, token: str) -> None:
        """After a login: the session's cookie comes, the guest's goes."""
        self._set(response, self.session_name, token)
        self._drop(response, self.guest_name)

    def drop_session(self, response: Response) -> None:
        """A session's end: the cookie goes, and all that the browser keeps of it."""
        self._drop(response, self.session_name)
        clear_site(response)

    def _set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        response.set_cookie(name, value, seconds, path="/", secure=self.secure, httponly=True, samesite="lax")

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")
