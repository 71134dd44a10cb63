"""Unsubscribe: addresses that want no more of a domain's mail, or none with certain tags (facts/sending.md, 6)."""

from typing import Any

import orjson
from pydantic import Field

from mailgun_emulator.mail import dates
from mailgun_emulator.state import suppressions
from mailgun_emulator.state.suppression_entries import Entry
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.suppression_list import (
    EntryForm,
    EntryPage,
    EntryView,
    Operation,
    Operations,
    RemovalForm,
    SuppressionList,
    Texts,
    router_for,
)


class UnsubscribeForm(EntryForm):
    """A form has one `tag` where a JSON item has a list of `tags`; neither heeds the other's name."""

    address: str = Field(description="Who is not to be written to.")
    tag: str = Field("*", description="The tag of the mail that is not wanted; `*` means all mail.")
    created_at: str = Field("", description="When it was asked for, as RFC 2822 writes dates; now if empty.")

    def parameters(self) -> dict[str, Any]:
        return {"address": self.address, "tags": [self.tag], "created_at": self.created_at}


class UnsubscribeView(EntryView):
    address: str
    tags: list[str]
    created_at: str

    @classmethod
    def of(cls, entry: Entry) -> "UnsubscribeView":
        created_at = dates.rfc2822(entry.created_at, "UTC")
        return cls(address=entry.spelled, tags=orjson.loads(entry.tags), created_at=created_at)


class UnsubscribePage(EntryPage):
    items: list[UnsubscribeView]


class UnsubscribeRemovalForm(RemovalForm):
    tag: str = Field("", description="Remove this tag only; the last one removes the address.")

    def remove(self, tx: Tx, domain_id: str, kind: Kind, address: str) -> None:
        if self.tag:
            suppressions.delete_tag(tx, domain_id, address, self.tag)
        else:
            super().remove(tx, domain_id, kind, address)


UNSUBSCRIBES = SuppressionList(
    kind=Kind.UNSUBSCRIBE,
    form=UnsubscribeForm,
    view=UnsubscribeView,
    page=UnsubscribePage,
    removal=UnsubscribeRemovalForm,
    texts=Texts(
        added="Address has been added to the unsubscribes table",
        added_many="{} addresses have been added to the unsubscribes table",
        removed="Unsubscribe event has been removed",
        cleared="Unsubscribe addresses for this domain have been removed",
    ),
)

router = router_for(
    UNSUBSCRIBES,
    "Unsubscribe",
    "/v3/{domain}/unsubscribes",
    Operations(
        list=Operation("list_unsubscribes", "Page through the unsubscribed addresses in alphabetical order."),
        add=Operation(
            "add_unsubscribes", "Unsubscribe one address, or up to 1,000 as JSON, from all mail or a tag."
        ),
        get=Operation("get_unsubscribe", "Look up what an address is unsubscribed from."),
        delete=Operation(
            "delete_unsubscribe", "Let an address have mail again, all of it or that with one tag."
        ),
        clear=Operation("clear_unsubscribes", "Empty the list of unsubscribed addresses."),
        import_=Operation("import_unsubscribes", "Unsubscribe the addresses of a CSV file."),
    ),
)
