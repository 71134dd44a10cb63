"""A message as tests read it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.http_client import is_told
from mailgun_emulator.testing.records import Event

__tracebackhide__ = is_told


class Headers(Mapping[str, str]):
    """The first of each name counts; upper and lower case are the same. `pairs` are all, in their order."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs
        self._first = {name.lower(): value for name, value in reversed(pairs)}

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.pairs if each.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        return self._first[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self.pairs))

    def __len__(self) -> int:
        return len(self._first)

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"


class Link(NamedTuple):
    """`url` is where it leads in the end, `tracked` what the mail has instead if it is tracked."""

    url: str
    tracked: str | None
    text: str


class Attachment:
    """`content` is fetched when it is asked for."""

    def __init__(self, client: AccountClient, message_path: str, told: dict[str, Any]) -> None:
        self.filename: str = told["filename"]
        self.content_type: str = told["content_type"]
        self.size: int = told["size"]
        self.content_id: str | None = told.get("content_id")
        self.inline: bool = told.get("inline", False)
        self._path = f"{message_path}/attachments/{told['index']}"
        self._client = client

    @property
    def content(self) -> bytes:
        return self._client.read(self._path)

    def __repr__(self) -> str:
        return f"<Attachment {self.filename!r}, {self.content_type}, {self.size} bytes>"


class Message:
    """A message that was accepted or came in. Read as it goes out to one recipient, the first if none is chosen.

    That is: placeholders filled in, links rewritten if they are tracked, a footer if there is one.
    """

    def __init__(self, client: AccountClient, told: dict[str, Any], recipient: str | None = None) -> None:
        self._client = client
        self._told = told
        self._recipient = recipient
        self._whole: dict[str, Any] | None = told if "headers" in told else None

    @property
    def id(self) -> str:
        """Its storage key."""
        return str(self._told["id"])

    @property
    def message_id(self) -> str:
        """Without angle brackets."""
        return str(self._told["message_id"])

    @property
    def domain(self) -> str:
        return str(self._told["domain"])

    @property
    def direction(self) -> str:
        """`outgoing` or `incoming`."""
        return str(self._told["direction"])

    @property
    def from_(self) -> str:
        """As in the From header."""
        return str(self._told["from"])

    @property
    def to(self) -> list[str]:
        """As in the To header."""
        return list(self._told["to"])

    @property
    def cc(self) -> list[str]:
        return list(self._told["cc"])

    @property
    def recipients(self) -> list[str]:
        """The addresses it goes to, whatever its headers say."""
        return list(self._told["recipients"])

    @property
    def recipient(self) -> str:
        """As whom it is read."""
        return str(self._full["recipient"])

    @property
    def subject(self) -> str:
        return str(self._told["subject"])

    @property
    def at(self) -> float:
        """When it was accepted: seconds since 1970, by the account's clock."""
        return float(self._told["at"])

    @property
    def tags(self) -> list[str]:
        return list(self._told["tags"])

    @property
    def variables(self) -> dict[str, Any]:
        """What `v:…` gave."""
        return dict(self._told["variables"])

    @property
    def template(self) -> str | None:
        return self._told.get("template")

    @property
    def test_mode(self) -> bool:
        return bool(self._told["test_mode"])

    @property
    def size(self) -> int:
        return int(self._told["size"])

    @property
    def attachments(self) -> list[Attachment]:
        """Inline ones included."""
        return [Attachment(self._client, self._path, each) for each in self._told["attachments"]]

    @property
    def text(self) -> str:
        """Empty if it has none."""
        return self._full["text"] or ""

    @property
    def html(self) -> str:
        """Empty if it has none."""
        return self._full["html"] or ""

    @property
    def headers(self) -> Headers:
        return Headers([(name, value) for name, value in self._full["headers"]])

    @property
    def links(self) -> list[str]:
        """Where its links lead in the end, each once, in their order."""
        return list(dict.fromkeys(each.url for each in self.all_links))

    @property
    def all_links(self) -> list[Link]:
        """Its links with their texts, and what the mail has instead of those that are tracked."""
        return [Link(each["url"], each["tracked"], each["text"]) for each in self._full["links"]]

    @property
    def codes(self) -> list[str]:
        """What looks like a code to be typed in somewhere, the likeliest first."""
        return list(self._full["codes"])

    @property
    def code(self) -> str:
        """The first of `codes`."""
        codes = self.codes
        if not codes:
            raise AssertionError(f"{self!r} has no code in it:\n\n{self.text or self.html}")
        return codes[0]

    @property
    def unsubscribe_url(self) -> str | None:
        url: str | None = self._full["unsubscribe_url"]
        return url

    @property
    def events(self) -> list[Event]:
        """What has happened to it by now, the oldest first; what is due is done before."""
        self._client.drain()
        return [Event(each) for each in self._fetch()["events"]]

    @property
    def raw(self) -> bytes:
        """The MIME."""
        return self._client.read(f"{self._path}/raw", recipient=self._recipient)

    def as_seen_by(self, recipient: str) -> "Message":
        """The same message, read as it goes out to another recipient, of whose copy it is in batches."""
        path = f"/_emulator/messages/{quote(self.message_id, safe='')}"
        return Message(self._client, self._client.get(path, recipient=recipient), recipient)

    @property
    def _path(self) -> str:
        return f"/_emulator/messages/{quote(self.id, safe='')}"

    @property
    def _full(self) -> dict[str, Any]:
        if self._whole is None:
            self._whole = self._fetch()
        return self._whole

    def _fetch(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(self._path, recipient=self._recipient)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.id, self._recipient) == (other.id, other._recipient)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Message {self.subject!r} to {', '.join(self.recipients)}>"
