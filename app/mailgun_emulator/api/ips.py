"""IPs: an account's own and a domain's (facts/account.md, 5.1 and 5.2)."""

from fastapi import APIRouter

router = APIRouter(tags=["IPs"])
