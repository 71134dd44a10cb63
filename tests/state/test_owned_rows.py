"""What belongs to an account is found by the schema alone."""

import sqlite3
from contextlib import closing

import pytest

from mailgun_emulator.state import jobs, owned_rows
from mailgun_emulator.state.connection import schema
from mailgun_emulator.state.jobs import Step


def tables() -> dict[str, owned_rows.Table]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema())
        return {table.name: table for table in owned_rows.read(connection)}


def test_each_table_but_that_of_the_starts_is_reached_from_the_account() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema())
        named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        everything = {name for (name,) in named}
    assert set(tables()) == everything - {"start"}


def test_a_table_that_nothing_ties_to_an_account_is_noticed() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema())
        connection.execute("CREATE TABLE stray (id INTEGER PRIMARY KEY, account VARCHAR)")
        with pytest.raises(LookupError, match="stray"):
            owned_rows.read(connection)


def test_whatever_refers_to_a_numbered_row_follows_when_it_is_moved() -> None:
    found = {name: dict(table.numbers) for name, table in tables().items() if table.numbers}
    assert found == {
        "route": {"number": "route"},
        "domain_key": {"id": "domain_key"},
        "domain_webhook": {"id": "domain_webhook"},
        "event": {"id": "event"},
        "event_tag": {"event_id": "event"},
        "job": {"id": "job"},
        "message": {"id": "message"},
        "webhook_delivery": {"id": "webhook_delivery", "event_id": "event"},
        "list_posting": {"id": "list_posting", "message": "message"},
    }
    sql = tables()["webhook_delivery"].select({"event": 7, "webhook_delivery": 3, "message": 9})
    assert sql.startswith('SELECT "id" + 3, "domain_id", "event_id" + 7, "webhook"')


def test_the_number_at_the_beginning_of_a_jobs_subject_is_moved() -> None:
    shifts = {"message": 100, "list_posting": 200, "webhook_delivery": 300, "job": 400}
    told = '{"message":{"id":7,"domain_id":"5"},"recipient":"1@x.com","what":{}}'
    moved = {
        (Step.DELIVER, "7 5@x.com"): "107 5@x.com",
        (Step.DELIVER, "7/12ab 5@x.com"): "107/12ab 5@x.com",
        (Step.RECEIVE, "7 5@x.com"): "107 5@x.com",
        (Step.RELAY, "7 5@x.com"): "107 5@x.com",
        (Step.FOLLOW_UP, told): told.replace(":7,", ":107,"),
        (Step.ARCHIVE, '[7,"5@x.com","http://x"]'): '[107,"5@x.com","http://x"]',
        (Step.FORWARD, '[7,"5@x.com","http://x"]'): '[107,"5@x.com","http://x"]',
        (Step.STORE_NOTIFY, '[7,"5@x.com","http://x"]'): '[107,"5@x.com","http://x"]',
        (Step.EXPAND_LIST, "7 5@x.com"): "207 5@x.com",
        (Step.EXPAND_LIST, "7 "): "207 ",
        (Step.NOTIFY, "7"): "307",
        (Step.UPLOAD_MEMBERS, "12ab 0 0 0"): "12ab 0 0 0",
        (Step.DELETE_DOMAIN, "12ab"): "12ab",
        (Step.ENABLE_DOMAIN, "12ab"): "12ab",
        (Step.ROTATE_KEYS, "12ab"): "12ab",
        (Step.IMPORT, "12ab 3"): "12ab 3",
        (Step.CERTIFY, "1.example.com"): "1.example.com",
        (Step.VALIDATE, "12ab-3c 0"): "12ab-3c 0",
        (Step.EXPORT, "12ab"): "12ab",
        (Step.PLACE, "12ab-34cd"): "12ab-34cd",
        (Step.CHECK_THRESHOLDS, ""): "",
        (Step.ALERT, '["12ab","C1",{}]'): '["12ab","C1",{}]',
        (Step.DELIST, "12ab"): "12ab",
        (Step.MOVE_IPS, '["add","1.2.3.4"]'): '["add","1.2.3.4"]',
        (Step.ENROLL_DOMAINS, '{"subaccounts":true,"by":"api"}'): '{"subaccounts":true,"by":"api"}',
        (Step.CHECK_HEALTH, ""): "",
    }
    assert {step for step, _ in moved} == set(Step), "say of a new step what its subject begins with"
    assert {key: jobs.moved(*key, shifts) for key in moved} == moved
