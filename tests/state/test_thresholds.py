import pytest

from mailgun_emulator.mail import dates
from mailgun_emulator.state.thresholds import Filter, is_period, passes, span


@pytest.mark.parametrize("period", ["1h", "24h", "1d", "366d", "1M", "12M"])
def test_a_period_is_a_number_and_a_unit(period: str) -> None:
    assert is_period(period, "hdM")


@pytest.mark.parametrize(
    "period", ["", "h", "1", "0h", "-1h", "1.5h", "1w", "1m", "9999d", "13M", "²h", "1 h"]
)
def test_anything_else_is_none(period: str) -> None:
    assert not is_period(period, "hdM")


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("1h", "2026-05-28T20:00:00", "2026-05-28T21:00:00"),
        ("6h", "2026-05-28T18:00:00", "2026-05-29T00:00:00"),
        ("1d", "2026-05-28T00:00:00", "2026-05-29T00:00:00"),
        ("1M", "2026-05-01T00:00:00", "2026-06-01T00:00:00"),
        ("3M", "2026-04-01T00:00:00", "2026-07-01T00:00:00"),
        ("12M", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_periods_follow_one_another(period: str, begin: str, end: str) -> None:
    found = span(period, dates.parse("2026-05-28T20:30:00"))
    assert [dates.plain_iso(each) for each in found] == [begin, end]
    assert span(period, found[1])[0] == found[1]


@pytest.mark.parametrize(
    ("comparator", "values", "passed"),
    [
        ("=", ["ID", "x"], True),
        ("=", ["Na"], False),
        ("!=", ["name"], False),
        ("!=", ["x"], True),
        ("contains", ["AM"], True),
        ("not contains", ["am"], False),
        ("<", ["j"], True),
        (">=", ["o"], False),
    ],
)
def test_a_filter_is_about_all_the_names_of_a_thing(comparator: str, values: list[str], passed: bool) -> None:
    assert passes(Filter("subaccount", comparator, values), "id", "Name") is passed
