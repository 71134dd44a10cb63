"""Bounces: addresses that a domain no longer sends to because mail to them bounced (facts/sending.md, 6)."""

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


class BounceForm(EntryForm):
    address: str = Field(description="Who is not to be written to.")
    code: str = Field("550", description="The SMTP code it bounced with.")
    error: str = Field("", description="The text it bounced with.")
    created_at: str = Field("", description="When it bounced, as RFC 2822 writes dates; now if empty.")


class BounceView(EntryView):
    address: str
    code: str
    error: str
    created_at: str

    @classmethod
    def of(cls, entry: Entry) -> "BounceView":
        created_at = dates.rfc2822(entry.created_at, "UTC")
        return cls(address=entry.spelled, code=entry.code, error=entry.error, created_at=created_at)


class BouncePage(EntryPage):
    items: list[BounceView]


class AddedBounce(BaseModel):
    """The only answer of its kind that begins with the message."""

    message: str
    address: str


BOUNCES = SuppressionList(
    kind=Kind.BOUNCE,
    form=BounceForm,
    view=BounceView,
    page=BouncePage,
    added=AddedBounce,
    texts=Texts(
        added="Address has been added to the bounces table",
        added_many="{} addresses have been added to the bounces table",
        removed="Bounced address has been removed",
        cleared="Bounced addresses for this domain have been removed",
    ),
)

router = router_for(
    BOUNCES,
    "Bounces",
    "/v3/{domain}/bounces",
    Operations(
        list=Operation("list_bounces", "Page through the bounced addresses in alphabetical order."),
        add=Operation("add_bounces", "Put one address, or up to 1,000 as JSON, on the bounce list."),
        get=Operation("get_bounce", "Look an address up in the bounce list."),
        delete=Operation("delete_bounce", "Take an address off the bounce list, so that it gets mail again."),
        clear=Operation("clear_bounces", "Empty the bounce list."),
        import_=Operation("import_bounces", "Put the addresses of a CSV file on the bounce list."),
    ),
)
