"""Validations of whole lists (facts/account.md, 11.2 and 11.3)."""

from fastapi import APIRouter

router = APIRouter(tags=["Validations"])
