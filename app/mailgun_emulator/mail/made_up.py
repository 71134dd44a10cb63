"""Figures that look as if something had happened, where nothing has: the same each time they are asked for."""

from hashlib import blake2b


def fraction(*about: object) -> float:
    """From 0 up to 1, for whatever it is about."""
    text = "\n".join(str(each) for each in about).encode()
    return int.from_bytes(blake2b(text, digest_size=4).digest(), "big") / 2**32


def between(least: int, most: int, *about: object) -> int:
    return least + int(fraction(*about) * (most - least + 1))
