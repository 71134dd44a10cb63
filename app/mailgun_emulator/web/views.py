"""Answers that several sections give."""

from pydantic import BaseModel


class Done(BaseModel):
    message: str
