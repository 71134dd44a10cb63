"""Mailgun's own JavaScript client against a running server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Account

MODULES = Path(sys.prefix) / "node_modules"


@pytest.mark.skipif(
    not (shutil.which("node") and MODULES.exists()),
    reason="`make test` installs mailgun.js where there is npm",
)
def test_a_days_work_in_javascript(server_url: str, account: Account) -> None:
    script = Path(__file__).with_name("journey.cjs")
    run = subprocess.run(
        ["node", script, server_url, account.api_key, account.domain],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["made"], told["verified"]) == ("unverified", "active")
    assert told["tracking"]["message"] == "Domain tracking settings have been updated"
    assert told["sent"]["message"] == "Queued. Thank you."
    assert sorted(told["events"]) == [
        "accepted bob@x.com",
        "accepted gone@x.com",
        "delivered bob@x.com",
        "failed gone@x.com",
    ]
    assert told["bounces"] == ["gone@x.com"]
    assert told["accepted"] == 2
    assert told["deleted"]["message"] == "Domain will be deleted in the background"
    assert told["gone"] == {"status": 404, "details": "Domain not found"}
