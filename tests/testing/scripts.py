"""Programs of their own, in which every warning is an error and nothing may be said on stderr."""

import subprocess
import sys
from textwrap import dedent

LEFT = """
import gc, os, threading

def left():
    gc.collect()
    return sorted(os.listdir("/proc/self/fd")), sorted(each.name for each in threading.enumerate())
"""
"""Defines `left()`: the open files and the threads."""


def run(program: str, seconds: float = 50) -> str:
    """What it prints."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout
