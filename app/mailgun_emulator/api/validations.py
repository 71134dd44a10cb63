"""Validations of addresses, one by one (facts/account.md, 11.1)."""

from fastapi import APIRouter

router = APIRouter(tags=["Validations"])
