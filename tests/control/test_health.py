from tests import plain

from mailgun_emulator import __version__


def test_health_tells_version_and_database(server_url: str) -> None:
    answer = plain.get(f"{server_url}/_emulator/health")
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "ok"
    assert told["version"] == __version__
    assert told["database"] is True
    assert told["uptime"] > 0
    assert told["pending_jobs"] >= 0


def test_the_root_greets(server_url: str) -> None:
    assert plain.get(server_url).text == "Mailgun Magnificent API"


def test_an_unknown_path_is_404_with_a_hint_at_the_nearest(server_url: str) -> None:
    unknown = plain.get(f"{server_url}/v1/kyes")
    assert (unknown.status_code, unknown.text) == (404, "404 page not found\n")
    assert "/v1/keys" in unknown.headers["X-Mailgun-Emulator-Hint"]
