"""What tests with clients share; what a story's assertion compared is told, as in a test."""

import pytest
from tests.conftest import Client

pytest.register_assert_rewrite(
    *(f"tests.clients.{name}" for name in ("node", "package_desk", "package_stories"))
)


@pytest.fixture
def closed_key(client: Client) -> str:
    """A key that opens nothing any more. Keys that never were open the default account."""
    key = client.post("/v1/keys", data={"role": "admin", "description": "x"}).json()["key"]
    client.delete(f"/v1/keys/{key['id']}")
    return str(key["secret"])
