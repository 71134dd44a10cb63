"""Every method of Mailgun's JavaScript client, for the operations that are there.

Which methods it has is read from the package: a newer one that has more fails here until the script calls them.
"""

from tests.clients import node
from tests.clients.node import needs_node
from tests.conftest import Account
from tests.receiver import Receiver

UNREACHABLE = {"messages.clearMessagesQueue": "only posts to Mailgun's own storage hosts"}


@needs_node
def test_every_method_is_called(server_url: str, account: Account, receiver: Receiver) -> None:
    arguments = (server_url, account.api_key, account.domain, receiver.url(""))
    told = node.run("every_method.cjs", *arguments)
    offered, called = set(told["offered"]), set(told["called"])
    assert offered - called == UNREACHABLE.keys(), "offered by the package and not called by the script"
