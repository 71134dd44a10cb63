import time

import pytest

from mailgun_emulator.mail import html_checks
from mailgun_emulator.mail.spam import GTUBE

WHOLE = '<html lang="en"><title>t</title>{}<a href="https://x.org">unsubscribe</a></html>'


def slugs(body: str) -> list[str]:
    return [each["slug"] for each in html_checks.analyse(WHOLE.format(body))]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>fine</p>", []),
        ('<img src="a" alt="">', []),
        ("<img src=a>", ["image-alt"]),
        ('<a name="top"></a>', []),
        ("<a>x</a>", ["link-target"]),
        ('<a href="HTTP://x.org">x</a>', ["link-insecure"]),
        ('<p style="DISPLAY:inline-flex">', ["css-display-flex"]),
        ('<p style="display:grid;max-width:9px">', ["css-display-grid", "css-max-width"]),
        ("<p>display: flex</p>", []),
        ("<style>p { background: red url(x.png) }</style>", ["css-background-image"]),
        ("<style>@import 'x';</style>display: grid", ["css-at-import"]),
        ("<!-- <video></video> -->", []),
        ("<script>x</script><svg></svg>", ["html-script", "html-svg"]),
        (GTUBE, ["spam-gtube"]),
    ],
)
def test_what_is_in_the_code_is_found(body: str, found: list[str]) -> None:
    assert slugs(body) == found


def test_every_client_either_shows_a_feature_or_does_not() -> None:
    for feature in html_checks.analyse('<img><p style="display:flex"><video>'):
        support = feature["support"]
        assert sorted(support["y"] + support["a"] + support["n"]) == sorted(html_checks.CLIENTS)


@pytest.mark.parametrize(
    "hostile", ["<", '<a "', "<style>", "display:", "<a href='", "url(", "background:", "<!--"]
)
def test_no_input_takes_long(hostile: str) -> None:
    started = time.process_time()
    html_checks.analyse(hostile * 50_000)
    html_checks.analyse(f"<style>{hostile * 50_000}</style>")
    assert time.process_time() - started < 1
