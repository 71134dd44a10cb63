"""Domains and their DNS records as several sections show them."""

from typing import Any

import orjson
from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.state.dns_records import DnsRecord
from mailgun_emulator.state.domains import Domain, DomainDetails, State
from mailgun_emulator.web.views import only_if_set


class DisabledView(BaseModel):
    """Why and for how long."""

    code: str
    note: str
    permanently: bool
    reason: str
    until: str | None = only_if_set()


class DomainView(BaseModel):
    """`created_at` in RFC 1123; the last three are told on request only."""

    archive_to: str | None = only_if_set()
    created_at: str
    id: str
    is_disabled: bool
    name: str
    require_tls: bool
    skip_verification: bool
    smtp_login: str
    spam_action: str
    subaccount_id: str | None = only_if_set()
    state: str
    type: str
    use_automatic_sender_security: bool
    web_prefix: str
    web_scheme: str
    wildcard: bool
    disabled: DisabledView | None = only_if_set()
    encrypt_incoming_message: bool
    message_ttl: int
    dkim_host: str | None = only_if_set()
    mailfrom_host: str | None = only_if_set()
    pod: str | None = only_if_set()


class DnsRecordView(BaseModel):
    """MX records have a `priority` and no `name`, all others the reverse."""

    is_active: bool
    cached: list[str]
    name: str | None = only_if_set()
    priority: str | None = only_if_set()
    record_type: str
    valid: str
    value: str


def view(domain: Domain | DomainDetails, subaccount_id: str | None = None) -> dict[str, Any]:
    """A `DomainView` that is ready for the wire, because reading a domain is a busy path.

    `subaccount_id` is whose it is, if its parent asks.
    """
    return {
        **({"archive_to": domain.archive_to} if domain.archive_to else {}),
        "created_at": dates.rfc2822(domain.created_at, "GMT"),
        "id": domain.id,
        "is_disabled": domain.state == State.DISABLED,
        "name": domain.name,
        "require_tls": bool(domain.require_tls),
        "skip_verification": bool(domain.skip_verification),
        "smtp_login": f"postmaster@{domain.name}",
        "spam_action": domain.spam_action,
        **({"subaccount_id": subaccount_id} if subaccount_id else {}),
        "state": domain.state,
        "type": domain.type,
        "use_automatic_sender_security": bool(domain.use_automatic_sender_security),
        "web_prefix": domain.web_prefix,
        "web_scheme": domain.web_scheme,
        "wildcard": bool(domain.wildcard),
        **({"disabled": orjson.loads(domain.disabled)} if domain.disabled else {}),
        "encrypt_incoming_message": bool(domain.encrypt_incoming_message),
        "message_ttl": domain.message_ttl,
    }


def record_view(record: DnsRecord) -> dict[str, Any]:
    """A `DnsRecordView` that is ready for the wire."""
    told: dict[str, Any] = {"is_active": record.is_active, "cached": record.cached}
    if record.name is not None:
        told["name"] = record.name
    else:
        told["priority"] = record.priority
    told["record_type"] = record.record_type
    told["valid"] = record.valid
    told["value"] = record.value
    return told


def record_views(*records: DnsRecord) -> list[dict[str, Any]]:
    return [record_view(record) for record in records]
