"""Logs, metrics and tags as Mailgun's own JavaScript client reads them."""

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
def test_what_happened_is_read_in_javascript(server_url: str, account: Account) -> None:
    script = Path(__file__).with_name("reporting.cjs")
    run = subprocess.run(
        ["node", script, server_url, account.api_key, account.domain],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    seen = [item["event"] for page in ("logs", "more") for item in told[page]["items"]]
    assert (seen, told["logs"]["pagination"]["total"]) == (["accepted", "accepted"], 3)
    assert told["metrics"]["items"][0]["metrics"] == {"delivered_count": 1, "delivered_rate": "0.5000"}
    assert told["metrics"]["aggregates"]["metrics"]["delivered_count"] == 1
    assert told["usage"]["items"][0]["metrics"] == {"processed_count": 2}
    assert [item["tag"] for item in told["tags"]["items"]] == ["js", "sale"]
    assert told["tags"]["items"][0]["metrics"]["accepted_count"] == 2
    assert told["updated"]["message"] == "Tag updated"
    assert told["described"]["description"] == "from JavaScript"
    assert told["limits"]["count"] == 2
    assert told["deleted"]["message"] == "Tag deleted"
    assert [item["tag"] for item in told["left"]["items"]] == ["sale"]
    assert told["providers"]["provider"]["gmail.com"]["delivered"] == 1
    assert [item["entity-name"] for item in told["bounces"]["items"]] == ["Other"]
