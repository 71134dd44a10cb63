"""Scripts in JavaScript, which use Mailgun's own client and nodemailer's."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODULES = Path(sys.prefix) / "node_modules"

needs_node = pytest.mark.skipif(
    not (shutil.which("node") and MODULES.exists()),
    reason="`make test` installs the JavaScript clients where there is npm",
)


def run(script: str, *arguments: str) -> dict[str, Any]:
    """What the script tells: the JSON that it prints."""
    ran = subprocess.run(
        ["node", Path(__file__).with_name(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told
