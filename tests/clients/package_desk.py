"""Where the stories with Mailgun's Python package are told."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from tests.clients.mailgun_package import Spoken
from tests.conftest import Account, Client


class Desk(NamedTuple):
    """Who works: the package's client, the account it works for, and our own client for what Mailgun lacks."""

    mailgun: Spoken
    account: Account
    client: Client

    @property
    def domain(self) -> str:
        return self.account.domain

    async def send(self, to: str = "bob@gmail.com", **more: Any) -> str:
        """Send a message and wait until it is there; its id without brackets."""
        data = {"from": f"Ann <ann@{self.domain}>", "to": to, "subject": "Hi", "text": "x", **more}
        sent = body_of(await self.mailgun.messages.create(data=data, domain=self.domain))
        self.client.drain()
        return str(sent["id"][1:-1])


def body_of(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.text
    return dict(response.json())


Story = Callable[[Desk], Awaitable[None]]
