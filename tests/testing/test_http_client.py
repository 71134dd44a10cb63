import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.receiver import Receiver, dead_url
from tests.testing.scripts import run

from mailgun_emulator.testing import Emulator, EmulatorError, File, HttpClient, Mailgun, NoEmulator
from mailgun_emulator.testing.http_client import with_query


@pytest.fixture
def http(mailgun: Mailgun) -> Iterator[HttpClient]:
    client = HttpClient(mailgun.url)
    yield client
    client.close()


def test_json_is_decoded_and_text_is_text(http: HttpClient) -> None:
    assert http.request("GET", "/_emulator/health")["status"] == "ok"
    assert http.request("GET", "/") == "Mailgun Magnificent API"


def test_a_refusal_of_the_emulator_is_its_own_message(http: HttpClient) -> None:
    with pytest.raises(EmulatorError) as refused:
        http.request("GET", "/_emulator/accounts/none")
    assert refused.value.status == 404
    assert str(refused.value) == "There is no account none; GET /_emulator/accounts lists those there are."
    assert refused.value.answer == {"message": str(refused.value)}


def test_a_refusal_of_mailguns_tells_what_was_asked_and_the_hint(mailgun: Mailgun) -> None:
    with pytest.raises(EmulatorError) as refused:
        mailgun.client.call("GET", "/v3/domains/none.example.com")
    assert refused.value.status == 404
    assert str(refused.value).startswith(
        "GET /v3/domains/none.example.com was answered 404: Domain not found"
    )


def test_where_nobody_listens_it_says_how_to_mend_that() -> None:
    with dead_url() as url, pytest.raises(NoEmulator) as refused:
        HttpClient(url).request("GET", "/_emulator/health")
    assert str(refused.value) == (
        f"Nothing answers at {url.rstrip('/')}: Connection refused. Start an emulator there with "
        "`mailgun-emulator serve`, or name another URL."
    )


def test_something_else_than_an_emulator_is_told_from_one(receiver: Receiver) -> None:
    receiver.answer("/_emulator/health", 404)
    with pytest.raises(NoEmulator, match="it is no mailgun-emulator, or an older one"):
        HttpClient(receiver.url()).request("GET", "/_emulator/health")


def test_who_does_not_answer_in_time_is_named(receiver: Receiver) -> None:
    http = HttpClient(receiver.url())
    with (
        receiver.holding("/slow"),
        pytest.raises(EmulatorError, match=r"GET http.*/slow was not answered within 0\.05 s"),
    ):
        http.request("GET", "/slow", timeout=0.05)
    assert http.request("GET", "/slow") == "answered 200"
    http.close()


def test_a_connection_that_breaks_is_told_and_not_tried_again(receiver: Receiver) -> None:
    receiver.answer("/cut", 0)
    with pytest.raises(EmulatorError, match="was not answered"):
        HttpClient(receiver.url()).request("POST", "/cut")
    assert len(receiver.requests("/cut")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8025",
        "ftp://x",
        "http://",
        "http://a:b@x",
        "http://x?a=b",
        "http://x:0",
        "http://x:port",
        "http://[x",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL of an emulator"):
        HttpClient(url)


def test_a_path_before_all_others_is_kept(receiver: Receiver) -> None:
    http = HttpClient(receiver.url("/mailgun/"))
    http.request("GET", "/v3/domains", params={"limit": 1})
    http.close()
    assert [each.path for each in receiver.requests()] == ["/mailgun/v3/domains?limit=1"]


def test_connections_are_kept_and_one_that_was_closed_is_made_anew() -> None:
    with Emulator() as emulator:
        http = HttpClient(emulator.url)
        port = int(emulator.url.rpartition(":")[2])
        for _ in range(3):
            http.request("GET", "/_emulator/health")
        assert len(http._idle) == 1
        emulator.stop()
        with Emulator(port=port):
            assert http.request("GET", "/_emulator/health")["status"] == "ok"
        http.close()


def test_any_number_of_threads_share_a_client(http: HttpClient) -> None:
    together = threading.Barrier(16)

    def ask(number: int) -> str:
        together.wait()
        made = http.request("POST", "/_emulator/accounts", json={"name": f"of {number}"})
        http.request("DELETE", f"/_emulator/accounts/{made['id']}")
        return str(made["name"])

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(16))) == [f"of {number}" for number in range(16)]


def test_it_never_goes_through_a_proxy(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert http.request("GET", "/_emulator/health")["status"] == "ok"


def test_parameters_are_written_as_the_emulator_reads_them() -> None:
    given: dict[str, Any] = {"a": None, "b": True, "c": False, "d": [1, "x y"], "e": 0.5, "f": "ü"}
    assert with_query("/x", given) == "/x?b=yes&c=no&d=1&d=x+y&e=0.5&f=%C3%BC"
    assert with_query("/x?y=1", {"z": 2}) == "/x?y=1&z=2"
    assert with_query("/x", {}) == "/x"


def test_files_are_uploaded_as_they_are(mailgun: Mailgun) -> None:
    content = bytes(range(256)) * 10
    sent = mailgun.send(attachments=[File('a "b".bin', content), File("c.txt", b"d", "text/plain")])
    assert [each.content for each in sent.attachments] == [content, b"d"]
    assert [each.content_type for each in sent.attachments] == ["application/octet-stream", "text/plain"]


def test_a_stream_tells_what_happens_until_it_is_closed(mailgun: Mailgun, http: HttpClient) -> None:
    stream = http.stream("/_emulator/events/stream", {"kinds": "event", "account": mailgun.id})
    assert next(stream).kind == "listening"
    mailgun.send()
    heard = next(stream)
    assert (heard.kind, heard.id, heard.data["event"]) == ("event", "1", "accepted")
    stream.close()
    assert list(stream) == []


def test_a_stream_that_is_refused_says_why(http: HttpClient) -> None:
    with pytest.raises(EmulatorError, match="kinds can't be 'x'"):
        next(http.stream("/_emulator/events/stream", {"kinds": "x"}))


def test_a_child_process_leaves_its_parents_connections_alone(http: HttpClient) -> None:
    http.request("GET", "/_emulator/health")
    ours = [each.connection for each in http._idle]
    http._pid -= 1  # as it is in a child
    http.request("GET", "/_emulator/health")
    assert not any(each.connection in ours for each in http._idle)
    assert [each.sock for each in ours] == [None]


def test_a_child_process_asks_on_and_leaves_its_parent_unharmed() -> None:
    run(
        """
        import os
        from mailgun_emulator.testing import Emulator

        with Emulator() as emulator:
            mailgun = emulator.account()
            mailgun.send()
            child = os.fork()
            if not child:
                mailgun.send(subject=f"Of a child that saw {len(mailgun.messages)}")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert [each.subject for each in mailgun.messages] == ["Hello", "Of a child that saw 1"]
        """
    )
