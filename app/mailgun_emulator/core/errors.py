"""The answers Mailgun gives instead of what was asked for."""

from typing import ClassVar


class MailgunError(Exception):
    """Base of every refusal; `web.errors` turns it into a response.

    A body is `{"message": text}` unless `key` names another (facts/sending.md, 10.3).
    """

    status: ClassVar[int] = 400
    key: ClassVar[str] = "message"
    message: ClassVar[str] = "Bad Request"
    pretty: ClassVar[bool] = False
    """Its JSON has lines and blanks."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """`hint` tells the emulator's user, in a header and in the log, what Mailgun's own words leave open."""
        super().__init__(message or self.message)
        self.hint = hint

    def body(self) -> dict[str, object] | str:
        """Sent as JSON if a dict, as plain text if a str."""
        return {self.key: str(self)}

    def headers(self) -> dict[str, str]:
        return {}


class BadRequest(MailgunError):
    pass


class Unauthorized(MailgunError):
    """401 as the wire has it: plain text `Forbidden` (facts/sending.md, 10.1)."""

    status = 401
    message = "Forbidden"

    def body(self) -> dict[str, object] | str:
        return str(self)

    def headers(self) -> dict[str, str]:
        return {"Www-Authenticate": 'Basic realm="MG API"'}


class InvalidPrivateKey(Unauthorized):
    """401 as `/v1` and the validation services word it (facts/account.md, 0.5)."""

    message = "Invalid private key"
    pretty = True

    def body(self) -> dict[str, object] | str:
        return {self.key: str(self)}


class NoPreviewKey(InvalidPrivateKey):
    """401 as the email previews word it (facts/account.md, 0.4)."""

    key = "Reason"


class Forbidden(MailgunError):
    status = 403
    message = "Forbidden"


class NotFound(MailgunError):
    status = 404
    message = "Not Found"


class Conflict(MailgunError):
    status = 409


class TooManyRequests(MailgunError):
    status = 429
    message = "Too Many Requests"


class ServerError(MailgunError):
    """A fault of our own."""

    status = 500
    message = "Internal Server Error"
