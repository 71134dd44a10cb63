"""What happened, told to who waits for it in this process once it is committed."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Kind = Literal["message", "event", "webhook", "request"]


class Notice(NamedTuple):
    """`subject` depends on the kind.

    message: the storage key of a copy that was accepted or stored. event: what is told of it, as orjson writes it.
    webhook: the row of the delivery that was attempted. request: the number of a request that was answered.
    """

    kind: Kind
    account_id: str
    subject: Any


Listener = Callable[[Notice], None]
