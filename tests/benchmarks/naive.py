"""What one gets by following the tutorials, doing the work the emulator does for a message.

Endpoints in the threadpool, a session per request as a dependency, nested routers, `Form()` parameters, models of
rows and answers, the delivered event by a background task. Only WAL is not from a tutorial: without it SQLite would
wait for the disk at each commit, which the emulator does not either.
"""

import secrets
import sqlite3
import sys
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Form, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import JSON, Column, Field, Index, Session, SQLModel, create_engine, select

from mailgun_emulator.core.clock import Clock
from tests.benchmarks.serving import serve
from tests.benchmarks.wire import API_KEY, DOMAIN

clock = Clock()


class ApiKey(SQLModel, table=True):
    secret: str = Field(primary_key=True)


class Domain(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class Suppression(SQLModel, table=True):
    domain_id: int = Field(foreign_key="domain.id", primary_key=True)
    address: str = Field(primary_key=True)


class Message(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    domain_id: int = Field(foreign_key="domain.id", index=True)
    message_id: str = Field(index=True)
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    accepted_at: float


class Event(SQLModel, table=True):
    __table_args__ = (Index("event_at", "domain_id", "at"), Index("event_type", "domain_id", "type", "at"))
    id: int | None = Field(default=None, primary_key=True)
    domain_id: int = Field(foreign_key="domain.id")
    at: float
    type: str
    message_id: str = Field(index=True)
    recipient: str = Field(index=True)
    payload: dict[str, Any] = Field(sa_column=Column(JSON))


class Queued(BaseModel):
    id: str
    message: str


engine = create_engine(
    f"sqlite:///{sys.argv[-1]}",
    connect_args={"check_same_thread": False, "timeout": 30},
    pool_size=80,  # with the default of 15 connections, 32 requests and their background tasks wait for each other
)


@sqlalchemy_event.listens_for(engine, "connect")
def use_wal(connection: sqlite3.Connection, _: object) -> None:
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


CurrentSession = Annotated[Session, Depends(get_session)]


def check_key(
    session: CurrentSession, credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]
) -> None:
    if session.get(ApiKey, credentials.password) is None:
        raise HTTPException(401)


def new_event(type_: str, message: Message, tags: list[str], variables: dict[str, str]) -> Event:
    at = clock.now()
    addresses = {"sender": message.sender, "transport": "smtp", "targets": message.recipient}
    headers = {
        "from": message.sender,
        "to": message.recipient,
        "subject": message.subject,
        "message-id": message.message_id,
    }
    payload = {
        "event": type_,
        "id": secrets.token_urlsafe(16),
        "timestamp": at,
        "log-level": "info",
        "envelope": addresses,
        "flags": {"is-authenticated": True, "is-test-mode": False},
        "message": {"size": len(message.text) + len(message.html), "headers": headers, "attachments": []},
        "recipient": message.recipient,
        "recipient-domain": message.recipient.partition("@")[2],
        "tags": tags,
        "user-variables": variables,
        "storage": {"key": secrets.token_urlsafe(24), "env": "production", "region": "us-west1"},
    }
    return Event(
        domain_id=message.domain_id,
        at=at,
        type=type_,
        message_id=message.message_id,
        recipient=message.recipient,
        payload=payload,
    )


def deliver(event: Event) -> None:
    with Session(engine) as session:
        session.add(event)
        session.commit()


messages = APIRouter(prefix="/messages", dependencies=[Depends(check_key)])


@messages.post("")
def send_message(
    session: CurrentSession,
    name: str,
    tasks: BackgroundTasks,
    from_: Annotated[str, Form(alias="from")],
    to: Annotated[str, Form()],
    subject: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    html: Annotated[str, Form()] = "",
    tag: Annotated[list[str] | None, Form(alias="o:tag")] = None,
    my_var: Annotated[str, Form(alias="v:my-var")] = "",
) -> Queued:
    domain = session.exec(select(Domain).where(Domain.name == name)).first()
    if domain is None:
        raise HTTPException(404, "Domain not found")
    if session.get(Suppression, (domain.id, to)) is not None:
        raise HTTPException(400, "suppressed")
    message = Message(
        domain_id=domain.id or 0,
        message_id=f"{secrets.token_hex(16)}@{domain.name}",
        sender=from_,
        recipient=to,
        subject=subject,
        text=text,
        html=html,
        accepted_at=clock.now(),
    )
    answer = Queued(id=f"<{message.message_id}>", message="Queued. Thank you.")
    tags, variables = tag or [], {"my-var": my_var}
    tasks.add_task(deliver, new_event("delivered", message, tags, variables))
    session.add(message)
    session.add(new_event("accepted", message, tags, variables))
    session.commit()
    return answer


domains = APIRouter(prefix="/{name}")
domains.include_router(messages)
version = APIRouter(prefix="/v3")
version.include_router(domains)
app = FastAPI()
app.include_router(version)

if __name__ == "__main__":
    SQLModel.metadata.create_all(engine)
    with Session(engine) as first:
        first.add_all([ApiKey(secret=API_KEY), Domain(name=DOMAIN)])
        first.commit()
    serve(app)
