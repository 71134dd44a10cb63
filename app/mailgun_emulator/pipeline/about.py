"""What an event is about."""

from typing import NamedTuple, Protocol


class Subject(Protocol):
    """A message that is or was sent, as far as its events repeat it; `tags` and `variables` are JSON text."""

    @property
    def domain_id(self) -> str: ...
    @property
    def domain_name(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def tags(self) -> str: ...
    @property
    def variables(self) -> str: ...


class About(NamedTuple):
    """Where there is no message, or none any more."""

    domain_id: str
    domain_name: str
    message_id: str = ""
    tags: str = "[]"
    variables: str = "{}"
