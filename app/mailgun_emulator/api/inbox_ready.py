"""InboxReady: domains and IPs that are watched (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["InboxReady"])
