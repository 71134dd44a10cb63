"""What there was instead of a post to a webhook that was not made: the nearest ones, and how each is another."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mailgun_emulator.state import webhook_deliveries
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhook_deliveries import Told
from mailgun_emulator.web.waiting import NothingCame
from mailgun_emulator.web.webhook_posts import view

MOST_SHOWN = 10
MOST_COMPARED = 200
_ABOUT = ("recipient", "message_id", "domain")


class Near(NamedTuple):
    told: Told
    differences: tuple[str, ...]


def absence(tx: Tx, where: Mapping[str, Any], count: int, seconds: float) -> NothingCame:
    """Of the same message, recipient and domain if there are any, else of all."""
    about = {name: value for name, value in where.items() if name in _ABOUT}
    found = webhook_deliveries.list_told(tx, about, MOST_COMPARED)
    found = found or webhook_deliveries.list_told(tx, {}, MOST_COMPARED)
    near = sorted(
        (Near(told, tuple(_differences(told, where))) for told in found),
        key=lambda each: len(each.differences),
    )[:MOST_SHOWN]
    came = len(webhook_deliveries.list_told(tx, {**where, "posted": True}, count))
    return NothingCame(
        _in_words(where, came, count, seconds, near),
        {"url" if name == "url_pattern" else name: value for name, value in where.items()},
        webhook_deliveries.total(tx),
        [
            {**view(each.told).model_dump(mode="json"), "difference": "; ".join(each.differences)}
            for each in near
            if each.differences
        ],
    )


def _differences(told: Told, where: Mapping[str, Any]) -> Iterator[str]:
    if where.get("event") not in (None, told.webhook, told.event):
        yield f"event: '{told.webhook}' instead of '{where['event']}'"
    url = where.get("url") or where.get("url_pattern")
    if url and not _is_url(told.url, url):
        yield f"url: '{told.url}' instead of '{url}'"
    for name in (*_ABOUT, "state"):
        there = getattr(told, name)
        if where.get(name) not in (None, there):
            yield f"{name}: '{there}' instead of '{where[name]}'"
    if told.attempts == "[]":
        yield "not posted yet"


def _is_url(url: str, wanted: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(url, wanted) if "*" in wanted else url == wanted


def _in_words(where: Mapping[str, Any], came: int, count: int, seconds: float, near: list[Near]) -> str:
    about = "".join(
        f" {word} {where[name]}"
        for name, word in (
            ("recipient", "about"),
            ("message_id", "of message"),
            ("url", "to"),
            ("url_pattern", "to"),
            ("domain", "from"),
        )
        if where.get(name)
    )
    many, posts = (f"Only {came} of {count}", "webhook posts") if came else ("No", "webhook post")
    what = " ".join(filter(None, (many, where.get("event"), posts)))
    if not near:
        there = "None was to be made: nothing happened yet that a webhook is set up for."
    else:
        told = ", ".join(f"{each.told.webhook} of {each.told.recipient} to {each.told.url}" for each in near)
        there = f"There is: {told}."
    return f"{what}{about} came within {seconds:g} s. {there}"
