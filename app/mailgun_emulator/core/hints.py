"""What is said beside an answer, to who wrote the program that asked."""

MOST_HINTS = 10


def add(hints: list[str], text: str) -> None:
    """What is said already is not said again; ten are enough."""
    if len(hints) < MOST_HINTS and text not in hints:
        hints.append(text)
