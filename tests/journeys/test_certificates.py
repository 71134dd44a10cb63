"""A tracking certificate that has run out is made anew."""

import sqlite3
from pathlib import Path

from tests.conftest import Client, serving

HOST = "email.mg.example.com"
KEY = ("api", "key-emulator")


def test_an_expired_certificate_is_regenerated(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with serving("--database", str(path)) as server, Client(base_url=server.url, auth=KEY) as client:
        assert client.post(f"/v2/x509/{HOST}").status_code == 202
        client.drain()
        first = client.get(f"/v2/x509/{HOST}/status").json()
        assert first["status"] == "active"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE certificate SET expires_at = 1")
    connection.close()
    with serving("--database", str(path)) as server, Client(base_url=server.url, auth=KEY) as client:
        expired = client.get(f"/v2/x509/{HOST}/status").json()
        assert expired == {**first, "status": "expired", "error": "x509 certificate has expired"}
        started = client.put(f"/v2/x509/{HOST}")
        assert (started.status_code, started.json()) == (
            202,
            {"message": "Initiated x509 key pair generation", "location": f"/v2/x509/{HOST}/status"},
        )
        client.drain()
        second = client.get(f"/v2/x509/{HOST}/status").json()
        assert second["status"] == "active"
        assert second["certificate"] != first["certificate"]
