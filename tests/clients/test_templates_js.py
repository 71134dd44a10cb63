"""Templates with Mailgun's own JavaScript client."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Account, Client

MODULES = Path(sys.prefix) / "node_modules"


@pytest.mark.skipif(
    not (shutil.which("node") and MODULES.exists()),
    reason="`make test` installs mailgun.js where there is npm",
)
def test_templates_in_javascript(server_url: str, account: Account, client: Client) -> None:
    run = subprocess.run(
        [
            "node",
            Path(__file__).with_name("templates.cjs"),
            server_url,
            account.api_key,
            account.domain,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert (told["made"], told["version"], told["active"]) == ("v1", True, "v2")
    assert told["names"] == ["welcome", "zwei"]
    assert told["versions"] == ["v1", "v2"]
    assert told["updated"]["templateVersion"] == {"tag": "v1"}
    assert told["sent"]["message"] == "Queued. Thank you."
    assert told["all"]["message"] == "templates have been deleted"
    event = client.get(f"/v3/{account.domain}/events", params={"event": "accepted"}).json()["items"][0]
    message = client.get(event["storage"]["url"]).json()
    assert message["body-html"].strip() == "<b>Hi Bob</b>"
    assert event["template"] == {"name": "welcome", "version": "v2", "is-text": True}
