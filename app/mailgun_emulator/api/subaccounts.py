"""Subaccounts: accounts of an account (facts/account.md, 8)."""

from fastapi import APIRouter

router = APIRouter(tags=["Subaccounts"])
