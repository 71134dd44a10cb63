"""What IPs and pools a subaccount sends by (facts/account.md, 8)."""

from fastapi import APIRouter

router = APIRouter(tags=["Other"])
