"""Allowlist: addresses and domains that no bounce puts on the bounce list (facts/sending.md, 6)."""

from typing import Literal

from pydantic import BaseModel, Field

from mailgun_emulator.mail import dates
from mailgun_emulator.state.suppression_entries import Entry
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.web.suppression_list import (
    EntryForm,
    EntryPage,
    EntryView,
    Operation,
    Operations,
    SuppressionList,
    Texts,
    router_for,
)


class AllowlistForm(EntryForm):
    address: str = Field("", description="An address; it counts when a domain is given, too.")
    domain: str = Field("", description="A domain, for all its addresses.")
    reason: str = Field("", description="Why, for whoever reads the list.")
    created_at: str = Field("", description="Since when, as RFC 2822 writes dates; now if empty.")


class AllowlistView(EntryView):
    """The only one of the four with `createdAt` in this spelling."""

    type: Literal["address", "domain"]
    value: str
    reason: str
    createdAt: str  # noqa: N815 - so on the wire

    @classmethod
    def of(cls, entry: Entry) -> "AllowlistView":
        return cls(
            type="domain" if entry.is_domain else "address",
            value=entry.spelled,
            reason=entry.reason,
            createdAt=dates.rfc2822(entry.created_at, "UTC"),
        )


class AllowlistPage(EntryPage):
    items: list[AllowlistView]


class AddedToAllowlist(BaseModel):
    message: str
    type: str
    value: str


class RemovedFromAllowlist(BaseModel):
    message: str
    value: str


ALLOWLIST = SuppressionList(
    kind=Kind.ALLOW,
    form=AllowlistForm,
    view=AllowlistView,
    page=AllowlistPage,
    added=AddedToAllowlist,
    removed=RemovedFromAllowlist,
    texts=Texts(
        added="Address/Domain has been added to the allowlists table",
        removed="Allowlist address/domain has been removed",
        cleared="Allowlist addresses/domains for this domain have been removed",
    ),
)

router = router_for(
    ALLOWLIST,
    "Allowlist",
    "/v3/{domain}/whitelists",
    Operations(
        list=Operation("list_allowlist", "Page through the allowlist in alphabetical order."),
        add=Operation("add_to_allowlist", "Put an address or a domain on the allowlist."),
        get=Operation("get_from_allowlist", "Look an address or a domain up in the allowlist."),
        delete=Operation("delete_from_allowlist", "Take an address or a domain off the allowlist."),
        clear=Operation("clear_allowlist", "Empty the allowlist."),
        import_=Operation(
            "import_allowlist", "Put the addresses and domains of a CSV file on the allowlist."
        ),
    ),
)
