"""Answers that several sections give."""

from typing import Any

from pydantic import BaseModel, Field


def only_if_set() -> Any:
    """A field that is left out as long as it is None."""
    return Field(default=None, exclude_if=lambda value: value is None)


class Done(BaseModel):
    message: str


class ReasonGiven(BaseModel):
    """How some services tell a refusal."""

    Reason: str


class DescriptionGiven(BaseModel):
    """How the same services tell others."""

    Description: str


class Succeeded(BaseModel):
    success: bool


class Started(BaseModel):
    """It is done in the background; the id has 24 hexadecimal digits."""

    message: str = "started"
    reference_id: str


Responses = dict[int | str, dict[str, Any]]


def refusals(*statuses: int) -> Responses:
    """Of an operation that is refused with nothing but a message."""
    return {status: {"model": Done} for status in statuses}


REFUSALS = refusals(400, 404)
