"""Email Preview: how clients show a message (facts/account.md, 11.5)."""

from fastapi import APIRouter

router = APIRouter(tags=["Email Preview"])
