"""What Logs can be asked for, as SQL: kinds of events and the attributes of filters (facts/sending.md, 3.4)."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state.event_conditions import Values, contains, is_address, plain_id
from mailgun_emulator.state.event_log import Hints
from mailgun_emulator.state.events import UNIQUE_AGAIN_AFTER, EventType
from mailgun_emulator.state.predicates import (
    COMPARED,
    EQUAL,
    SEARCHED,
    Predicate,
    holds,
    signed,
    text_condition,
)

Condition: TypeAlias = Callable[[Predicate, Values], str]


class ValueNotValid(BadRequest):
    def __init__(self, predicate: Predicate, value: str) -> None:
        super().__init__(f"filter value '{value}' is not valid for {predicate.attribute}")


class Kind(NamedTuple):
    """Events of a type, or those among them that meet a condition."""

    type: str
    condition: str = ""


def _path(keys: str) -> str:
    """Keys are parted by slashes."""
    return "$" + "".join(f'."{key}"' for key in keys.split("/"))


def _told(keys: str) -> str:
    return f"json_extract(payload, '{_path(keys)}')"


_SEVERITY, _REASON = _told("severity"), _told("reason")
_TRANSPORT = f"coalesce({_told('envelope/transport')}, 'smtp')"
_OPTIMIZED = "json_type(payload, '$.\"i-delivery-optimizer\"') IS NOT NULL"
_LATER = f"{_told('delivery-status/attempt-no')} > 1"
_HARD = f"{_told('delivery-status/bounce-type')} IS 'hard'"
_DELAYED_BOUNCE = f"{_told('flags/is-delayed-bounce')} IS 1"
_INCOMING = f"{_told('flags/is-authenticated')} IS 0"
_TEMPORARY, _PERMANENT = f"{_SEVERITY} = 'temporary'", f"{_SEVERITY} = 'permanent'"
_SENT = f"{_PERMANENT} AND {_REASON} NOT LIKE 'suppress-%'"
_FIRST = (
    "NOT EXISTS (SELECT 1 FROM event AS earlier INDEXED BY ix_event_message_id"  # noqa: S608 - no input
    " WHERE earlier.message_id = event.message_id AND earlier.domain_id = event.domain_id"
    " AND earlier.type = event.type AND earlier.recipient = event.recipient"
    f" AND earlier.at >= event.at - {UNIQUE_AGAIN_AFTER} AND (earlier.at, earlier.id) < (event.at, event.id))"
)


def _because(reason: str, severity: str = _PERMANENT) -> Kind:
    return Kind("failed", f"{severity} AND {_REASON} = '{reason}'")


_NAMED: dict[str, tuple[Kind, ...]] = {
    **{each: (Kind(each),) for each in ("accepted", "delivered", "opened", "clicked", "stored", "rejected")},
    **{each: (Kind(each),) for each in ("unsubscribed", "complained", "email_validation", "trapped")},
    **{each: (Kind(each),) for each in ("list_uploaded", "list_member_uploaded", "list_member_upload_error")},
    "failed": (Kind("failed"),),
    "unique_opened": (Kind("opened", _FIRST),),
    "unique_clicked": (Kind("clicked", _FIRST),),
}
EVENTS = tuple(_NAMED)
"""What `events` may name."""

_METRICS: dict[str, tuple[Kind, ...]] = {
    "accepted_incoming": (Kind("accepted", _INCOMING),),
    "accepted_outgoing": (Kind("accepted", f"NOT ({_INCOMING})"),),
    "delivered_smtp": (Kind("delivered", f"{_TRANSPORT} = 'smtp'"),),
    "delivered_http": (Kind("delivered", f"{_TRANSPORT} = 'http'"),),
    "delivered_optimized": (Kind("delivered", _OPTIMIZED),),
    "processed": (Kind("delivered"), Kind("failed", _PERMANENT)),
    "sent": (Kind("delivered"), Kind("failed", _SENT)),
    "temporary_failed": (Kind("failed", _TEMPORARY),),
    "permanent_failed": (Kind("failed", _PERMANENT),),
    "esp_block": (Kind("failed", f"{_REASON} = 'espblock'"),),
    "temporary_failed_esp_block": (_because("espblock", _TEMPORARY),),
    "permanent_failed_esp_block": (_because("espblock"),),
    "webhook_failure": (Kind("failed", f"{_REASON} = 'webhook'"),),
    "permanent_failed_optimized": (Kind("failed", f"{_PERMANENT} AND {_OPTIMIZED}"),),
    "permanent_failed_old": (_because("old"),),
    "bounced": (Kind("failed", _SENT),),
    "hard_bounces": (Kind("failed", _HARD),),
    "soft_bounces": (Kind("failed", f"{_SENT} AND NOT {_HARD}"),),
    "delayed_bounce": (Kind("failed", f"{_PERMANENT} AND {_DELAYED_BOUNCE}"),),
    "suppressed_bounces": (_because("suppress-bounce"),),
    "suppressed_unsubscribed": (_because("suppress-unsubscribe"),),
    "suppressed_complaints": (_because("suppress-complaint"),),
    "delivered_first_attempt": (Kind("delivered", f"NOT ({_LATER})"),),
    "delivered_subsequent": (Kind("delivered", _LATER),),
    "delivered_two_plus_attempts": (Kind("delivered", _LATER),),
    "delayed_first_attempt": (Kind("delivered", _LATER), _because("old")),
}
METRIC_EVENTS = (
    *_METRICS, "accepted", "delivered", "stored", "opened", "clicked", "unique_opened", "unique_clicked", "complained",
    "unsubscribed", "failed",
)  # fmt: skip
"""What `metric_events` may name."""


def kinds_of(name: str) -> tuple[Kind, ...]:
    """Any of them makes an event one of that name."""
    return _NAMED.get(name) or _METRICS[name]


def _text(path: str) -> Condition:
    return lambda predicate, values: text_condition(_told(path), predicate, values)


def _mailbox(path: str) -> Condition:
    """The whole header, or an address in it."""

    def found(predicate: Predicate, values: Values) -> str:
        if predicate.comparator not in EQUAL:
            return text_condition(_told(path), predicate, values)
        subject = _told(path)
        either = (
            f"{subject} = {values.put(each)} COLLATE NOCASE OR {contains(values, subject, f'<{each}>')}"
            for each in predicate.values
        )
        return signed(predicate, " OR ".join(either))

    return found


def _any_item(path: str, item: str) -> Condition:
    """Of a list that events tell."""

    def found(predicate: Predicate, values: Values) -> str:
        plain = predicate._replace(comparator=predicate.comparator.removeprefix("not ").removeprefix("!"))
        inner = text_condition(item, plain, values)
        return signed(predicate, f"EXISTS (SELECT 1 FROM json_each(payload, '{_path(path)}') WHERE {inner})")  # noqa: S608 - texts are parameters

    return found


def _number(subject: str, read: Callable[[str], float]) -> Condition:
    def found(predicate: Predicate, values: Values) -> str:
        operator = predicate.comparator.removeprefix("!")
        parts = []
        for each in predicate.values:
            try:
                parts.append(f"{subject} {operator} {values.put(read(each))}")
            except (ValueError, OverflowError):
                raise ValueNotValid(predicate, each) from None
        return signed(predicate, " OR ".join(parts))

    return found


def _flag(path: str) -> Condition:
    def found(predicate: Predicate, values: Values) -> str:
        known = {"true": 1, "false": 0, "1": 1, "0": 0, "yes": 1, "no": 0}
        unknown = next((each for each in predicate.values if each.lower() not in known), None)
        if unknown is not None:
            raise ValueNotValid(predicate, unknown)
        wanted = (values.put(known[each.lower()]) for each in predicate.values)
        return signed(predicate, " OR ".join(f"coalesce({_told(path)}, 0) = {each}" for each in wanted))

    return found


def _column(name: str, plain: Callable[[str], str]) -> Condition:
    """Looked for as it is written there, so that an index can be used."""

    def found(predicate: Predicate, values: Values) -> str:
        given = predicate._replace(values=tuple(map(plain, predicate.values)))
        if predicate.comparator not in EQUAL:
            return text_condition(name, given, values)
        among = ", ".join(values.put(each) for each in given.values)
        return f"{name} {'NOT ' if predicate.negated else ''}IN ({among})"

    return found


def _tag(predicate: Predicate, values: Values) -> str:
    lowered = [each.lower() for each in predicate.values]
    if predicate.comparator in EQUAL:
        inner = f"tag IN ({', '.join(values.put(each) for each in lowered)})"
        own = (
            "SELECT 1 FROM event_tag WHERE event_tag.domain_id = event.domain_id"  # noqa: S608 - texts are parameters
            f" AND {inner} AND event_tag.at = event.at AND event_id = event.id"
        )
        return signed(predicate, f"EXISTS ({own})")
    return _any_item("tags", "value")(predicate, values)


def _variables(predicate: Predicate, values: Values) -> str:
    """Their names and values, or any part of their JSON."""
    if predicate.comparator not in EQUAL:
        return text_condition(_told("user-variables"), predicate, values)
    either = " OR ".join(
        f"key = {place} OR value = {place}" for place in (values.put(each) for each in predicate.values)
    )
    own = f"SELECT 1 FROM json_each(payload, '{_path('user-variables')}') WHERE {either}"  # noqa: S608 - texts are parameters
    return signed(predicate, f"EXISTS ({own})")


_DELIVERED_AT = f"coalesce({_told('delivered-at')}, CASE type WHEN 'delivered' THEN event.at END)"
_TEXTS = {
    "ip": "envelope/sending-ip",
    "ip_pool": "envelope/i-ip-pool-id",
    "recipient_domain": "recipient-domain",
    "recipient_provider": "recipient-provider",
    "country": "geolocation/country",
    "bot": "client-info/bot",
    "device": "client-info/device-type",
    "subject": "message/headers/subject",
    "mailing_list_address": "mailing-list/address",
    "severity": "severity",
    "delivery_status_bounce_type": "delivery-status/bounce-type",
    "delivery_status_message": "delivery-status/message",
}
_CONDITIONS: dict[str, Condition] = {
    **{name: _text(path) for name, path in _TEXTS.items()},
    "id": _column("event.key", str),
    "event": _column("type", str.lower),
    "from": _mailbox("message/headers/from"),
    "to": _mailbox("message/headers/to"),
    "message_id": _column("message_id", plain_id),
    "recipient": _column("recipient", str.lower),
    "attachment_filename": _any_item("message/attachments", "json_extract(value, '$.filename')"),
    "recipients": _any_item("message/recipients", "value"),
    "size": _number(_told("message/size"), float),
    "delivery_status_code": _number(_told("delivery-status/code"), float),
    "delivered_at": _number(_DELIVERED_AT, dates.parse),
    "is_routed": _flag("flags/is-routed"),
    "tag": _tag,
    "user_variables": _variables,
}
OF_DOMAIN = {"domain": "name", "subaccount": "account_id"}
"""Attributes that all events of a domain share, and the domain's columns."""
CLASSIFIED = {"i_classification_rule_id": "id", "i_classification_group_id": "group"}
"""Attributes of `mail.bounce_rules`, which events do not tell."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*_CONDITIONS, *OF_DOMAIN, *CLASSIFIED), SEARCHED),
    "size": (*COMPARED, *EQUAL),
    "delivery_status_code": (*EQUAL, *COMPARED),
    "delivered_at": COMPARED,
    "is_routed": EQUAL,
    "recipients": ("contains", "not contains"),
}
"""What filters may name, and the comparators of each."""


def condition(predicate: Predicate, values: Values) -> str:
    return _CONDITIONS[predicate.attribute](predicate, values)


_ONLY_OF = {
    **dict.fromkeys(("severity", "delivery_status_bounce_type", *CLASSIFIED), ("failed",)),
    **dict.fromkeys(("country", "bot", "device"), ("opened", "clicked", "unsubscribed")),
}


def may_be(predicates: Iterable[Predicate], type_: EventType) -> bool:
    """Whether events of that type can meet them all: so only those are read."""
    return all(
        holds(each, type_)
        if each.attribute == "event"
        else each.negated or type_ in _ONLY_OF.get(each.attribute, (type_,))
        for each in predicates
    )


def hints(predicates: Iterable[Predicate]) -> Hints:
    """What of them an index leads to."""
    equal = [each for each in predicates if each.comparator == "=" and each.values]
    return Hints(
        message=any(each.attribute == "message_id" for each in equal),
        recipient=any(each.attribute == "recipient" and all(map(is_address, each.values)) for each in equal),
        tag=next((each.values[0] for each in equal if each.attribute == "tag" and len(each.values) == 1), ""),
    )
