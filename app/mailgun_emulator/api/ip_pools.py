"""IP Pools: dedicated IPs that domains share (facts/account.md, 5.3)."""

from fastapi import APIRouter

router = APIRouter(tags=["IP Pools"])
