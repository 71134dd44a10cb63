"""Users as several sections show them (facts/account.md, 9.4)."""

from typing import Any

from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.state.users import User

OPENED_IP = "127.0.0.1"
TIME_FORMAT = "%m/%d/%y %I:%M %p"


class EmailParts(BaseModel):
    local_part: str
    domain: str


class EmailDetails(BaseModel):
    address: str
    is_valid: bool
    parts: EmailParts


class Preferences(BaseModel):
    programming_language: str
    time_format: str
    time_zone: str


class AuthView(BaseModel):
    method: str
    prior_details: dict[str, Any]
    prior_method: str


class UserView(BaseModel):
    """Times are ISO 8601 with microseconds and without a zone."""

    id: str
    name: str
    activated: bool
    is_disabled: bool
    email: str
    email_details: EmailDetails
    role: str
    account_id: str
    opened_ip: str
    is_master: bool
    metadata: dict[str, Any]
    tfa_enabled: bool
    tfa_active: bool
    tfa_created_at: str | None
    password_updated_at: str | None
    preferences: Preferences
    auth: AuthView
    github_user_id: str | None
    salesforce_user_id: str | None
    migration_status: str


def view(user: User) -> UserView:
    local_part, _, domain = user.email.rpartition("@")
    since = f"{dates.plain_iso(user.created_at)}.{int(user.created_at % 1 * 1_000_000):06}"
    return UserView(
        id=user.id,
        name=user.name,
        activated=user.activated,
        is_disabled=user.is_disabled,
        email=user.email,
        email_details=EmailDetails(
            address=user.email, is_valid=True, parts=EmailParts(local_part=local_part, domain=domain)
        ),
        role=user.role,
        account_id=user.account_id,
        opened_ip=OPENED_IP,
        is_master=user.is_master,
        metadata={},
        tfa_enabled=user.tfa_enabled,
        tfa_active=user.tfa_enabled,
        tfa_created_at=since if user.tfa_enabled else None,
        password_updated_at=since if user.activated else None,
        preferences=Preferences(
            programming_language="curl", time_format=TIME_FORMAT, time_zone=user.time_zone
        ),
        auth=AuthView(method="password", prior_details={}, prior_method=""),
        github_user_id=None,
        salesforce_user_id=None,
        migration_status="done",
    )
