"""Users: who works with an account (facts/account.md, 9.4)."""

from fastapi import APIRouter

router = APIRouter(tags=["Users"])
