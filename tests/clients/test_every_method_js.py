"""Every method of Mailgun's JavaScript client, for the operations that are there.

Which methods it has is read from the package: a newer one that has more fails here until the script calls them.
"""

from tests.clients import node, operations
from tests.clients.node import needs_node
from tests.conftest import Account
from tests.receiver import Receiver

WAITING = {}
"""Methods, or clients with all that they have, and the section of the reference that they wait for."""

UNREACHABLE = {"messages.clearMessagesQueue": "only posts to Mailgun's own storage hosts"}


def belongs(method: str, names: set[str]) -> bool:
    return method in names or any(method.startswith(f"{name}.") for name in names)


@needs_node
def test_every_method_is_called(server_url: str, account: Account, receiver: Receiver) -> None:
    arguments = (server_url, account.api_key, account.domain, receiver.url(""))
    told = node.run("every_method.cjs", *arguments)
    offered, called = set(told["offered"]), set(told["called"])
    excused = WAITING.keys() | UNREACHABLE.keys()
    missing = {name for name in offered - called if not belongs(name, excused)}
    assert not missing, "offered by the package, not called by the script, not waiting for a section"
    assert not {name for name in called if belongs(name, excused)}, "called, and no longer to be excused"
    gone = {name for name in excused if not any(belongs(each, {name}) for each in offered)}
    assert not gone, "the package no longer offers these"


def test_what_waits_still_waits() -> None:
    done = {name: section for name, section in WAITING.items() if section not in operations.unfinished()}
    assert not done, "their sections are covered now: let the script call them"
