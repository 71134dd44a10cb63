"""What recipients do with a message, as events and with what follows from it (facts/sending.md, 3.2 and 5)."""

from typing import Any, NamedTuple

import orjson

from mailgun_emulator.mail import clients, providers
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.pipeline import tracking_urls
from mailgun_emulator.pipeline.record import Subject, record, storage
from mailgun_emulator.pipeline.tracking_urls import EVERYTHING, Visit
from mailgun_emulator.state import events, list_members, mailing_lists, suppressions
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.suppressions import Kind
from mailgun_emulator.state.transaction import Tx

UNKNOWN_PLACE = {"city": "Unknown", "region": "Unknown", "country": "Unknown"}
"""Where an address is would take a database of the whole world; those of tests are at home in any case."""


class Client(NamedTuple):
    """Who opens or follows: `geolocation` as events have it, unknown if none is said."""

    ip: str = "127.0.0.1"
    user_agent: str = ""
    geolocation: dict[str, str] | None = None


def visited(tx: Tx, visit: Visit, client: Client) -> dict[str, Any]:
    """A link of a message was followed, or its pixel shown."""
    if visit.url:
        return record_click(tx, visit.about, visit.recipient, visit.url, client)
    return record_open(tx, visit.about, visit.recipient, client)


def unsubscribed(tx: Tx, visit: Visit, client: Client) -> dict[str, Any]:
    return record_unsubscribe(tx, visit.about, visit.recipient, client, list(visit.tags), visit.mailing_list)


def unsubscribe_by_mail(tx: Tx, domain_id: str, local_part: str) -> bool:
    """Mail came for `local_part` of the domain. False: it is no address to unsubscribe by."""
    visit = tracking_urls.follow_address(tx, domain_id, local_part)
    if visit is not None:
        unsubscribed(tx, visit, Client(ip=""))
    return visit is not None


def record_open(tx: Tx, about: Subject, recipient: str, client: Client) -> dict[str, Any]:
    """Every time counts; the events are not made unique (facts/sending.md, 5.2)."""
    told = {**_delivery(tx, about, recipient), **_told(about, recipient, client)}
    return record(tx, EventType.OPENED, about, recipient, told)


def record_click(tx: Tx, about: Subject, recipient: str, url: str, client: Client) -> dict[str, Any]:
    told = {**_delivery(tx, about, recipient), **_told(about, recipient, client), "url": url}
    return record(tx, EventType.CLICKED, about, recipient, told)


def record_unsubscribe(
    tx: Tx,
    about: Subject,
    recipient: str,
    client: Client,
    tags: list[str] | None = None,
    mailing_list: str = "",
) -> dict[str, Any]:
    """From all mail of the domain; from that with the `tags`; or from a mailing list, where mail of others goes on."""
    refused = tags or [EVERYTHING]
    told = {**_told(about, recipient, client), "storage": {}, "tags": refused}
    if mailing_list:
        told["mailing-list"] = _leave(tx, mailing_list, recipient)
    else:
        listed = orjson.dumps(refused).decode()
        suppressions.put(tx, about.domain_id, recipient, Kind.UNSUBSCRIBE, tags=listed)
    return record(tx, EventType.UNSUBSCRIBED, about, recipient, told)


def record_complaint(tx: Tx, message: SentMessage, recipient: str) -> dict[str, Any]:
    options = orjson.loads(message.options)
    suppressions.put(tx, message.domain_id, recipient, Kind.COMPLAINT)
    told = {
        "log-level": "warn",
        "message": {
            "attachments": orjson.Fragment(message.attachments),
            "size": message.size,
            "headers": orjson.Fragment(message.headers),
        },
        "envelope": {
            "sending-ip": options.get("sending-ip") or shared_ip(tx.account_id),
            **({"i-ip-pool-id": options["sending-ip-pool"]} if "sending-ip-pool" in options else {}),
        },
        "flags": {"is-test-mode": "testmode" in options},
        "storage": storage(message),
        "campaigns": [],
        "recipient-provider": providers.group(recipient.rpartition("@")[2]),
    }
    return record(tx, EventType.COMPLAINED, message, recipient, told)


def _told(about: Subject, recipient: str, client: Client) -> dict[str, Any]:
    return {
        "message": {"headers": {"message-id": about.message_id}},
        "recipient-provider": providers.group(recipient.rpartition("@")[2]),
        "campaigns": [],
        "ip": client.ip,
        "client-info": clients.read(client.user_agent).told(),
        "geolocation": client.geolocation or UNKNOWN_PLACE,
    }


def _delivery(tx: Tx, about: Subject, recipient: str) -> dict[str, Any]:
    """What is told of it; how it was sent only if that was by a pool of IPs, so that it is counted for the pool."""
    found = events.find_first(tx, about.domain_id, EventType.DELIVERED, about.message_id, recipient)
    if found is None:
        return {}
    told: dict[str, Any] = {"delivered-at": int(found["timestamp"])}
    if "i-ip-pool-id" in found.get("envelope", ()):
        told["envelope"] = {name: found["envelope"][name] for name in ("sending-ip", "i-ip-pool-id")}
    return told


def _leave(tx: Tx, mailing_list: str, member: str) -> dict[str, str]:
    """How events tell of the list; it may be gone."""
    listed = mailing_lists.find(tx, mailing_list)
    if listed is None:
        return {"address": mailing_list, "list-id": "", "sid": ""}
    list_members.unsubscribe(tx, mailing_list, member)
    return listed.for_events
