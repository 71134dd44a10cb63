"""Inbox Placement: where mail to seed addresses ends (facts/account.md, 11.4)."""

from fastapi import APIRouter

router = APIRouter(tags=["Inbox Placement"])
