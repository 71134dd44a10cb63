"""Dynamic IP Pools: domains move by their reputation (facts/account.md, 5.5)."""

from fastapi import APIRouter

router = APIRouter(tags=["Dynamic IP Pools"])
