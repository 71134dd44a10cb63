"""Lists whose pages are told by how many items come before: those of reports, which are made when they are read."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import Request

from mailgun_emulator.web.forms import Fields, Form
from mailgun_emulator.web.paging import Paging, base_url, number

Item = TypeVar("Item")


class PageForm(Form):
    """`page` says how many items come before, `limit` how many there are at most."""

    page: int | str = ""
    limit: int | str = ""


def page_of(
    request: Request, form: PageForm, items: Sequence[Item], *, default: int, least: int = 1, most: int = 1000
) -> tuple[list[Item], Paging]:
    """What is asked for, and the links to the other pages, which keep whatever else was asked."""
    fields = Fields(page=[form.page], limit=[form.limit])
    limit = number(fields, "limit", default, least, most)
    start = number(fields, "page", 0)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]

    def link(first: int) -> str:
        return f"{base_url(request)}{request.url.path}?{urlencode([*asked, ('page', first)])}"

    last = max(0, (len(items) - 1) // limit * limit)
    links = Paging(
        first=link(0), last=link(last), next=link(start + limit), previous=link(max(0, start - limit))
    )
    return list(items[start : start + limit]), links
