"""Custom Message Limit: how much an account sends in a month (facts/account.md, 9.2)."""

from fastapi import APIRouter

router = APIRouter(tags=["Custom Message Limit"])
