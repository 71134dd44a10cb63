"""Spam Traps that were written to (facts/account.md, 11.6)."""

from fastapi import APIRouter

router = APIRouter(tags=["Spam Traps"])
