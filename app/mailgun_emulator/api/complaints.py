"""Complaints: addresses whose owners called a domain's mail spam (facts/sending.md, 6)."""

from pydantic import Field

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


class ComplaintForm(EntryForm):
    address: str = Field(description="Who is not to be written to.")
    created_at: str = Field(
        "", description="When the complaint came, as RFC 2822 writes dates; now if empty."
    )


class ComplaintView(EntryView):
    address: str
    created_at: str

    @classmethod
    def of(cls, entry: Entry) -> "ComplaintView":
        return cls(address=entry.spelled, created_at=dates.rfc2822(entry.created_at, "UTC"))


class ComplaintPage(EntryPage):
    items: list[ComplaintView]


COMPLAINTS = SuppressionList(
    kind=Kind.COMPLAINT,
    form=ComplaintForm,
    view=ComplaintView,
    page=ComplaintPage,
    texts=Texts(
        added="Address has been added to the complaints table",
        added_many="{} complaint addresses have been added to the complaints table",
        removed="Spam complaint has been removed",
        cleared="Complaint addresses for this domain have been removed",
    ),
)

router = router_for(
    COMPLAINTS,
    "Complaints",
    "/v3/{domain}/complaints",
    Operations(
        list=Operation("list_complaints", "Page through the complainants' addresses in alphabetical order."),
        add=Operation("add_complaints", "Put one address, or up to 1,000 as JSON, on the complaint list."),
        get=Operation("get_complaint", "Look an address up in the complaint list."),
        delete=Operation(
            "delete_complaint", "Take an address off the complaint list, so that it gets mail again."
        ),
        clear=Operation("clear_complaints", "Empty the complaint list."),
        import_=Operation("import_complaints", "Put the addresses of a CSV file on the complaint list."),
    ),
)
