import pytest

from mailgun_emulator.mail import dates, periods
from mailgun_emulator.mail.periods import Resolution


def at(text: str) -> float:
    return dates.parse(f"{text} UTC")


@pytest.mark.parametrize(
    ("resolution", "begin"),
    [
        (Resolution.HOUR, "Thu, 29 Feb 2024 13:00:00"),
        (Resolution.DAY, "Thu, 29 Feb 2024 00:00:00"),
        (Resolution.MONTH, "Thu, 01 Feb 2024 00:00:00"),
    ],
)
def test_a_time_is_floored(resolution: Resolution, begin: str) -> None:
    assert periods.floor(at("Thu, 29 Feb 2024 13:43:14"), resolution) == at(begin)


@pytest.mark.parametrize(
    ("now", "number", "resolution", "before"),
    [
        ("Sun, 31 Mar 2024 10:00:00", 1, Resolution.MONTH, "Thu, 29 Feb 2024 10:00:00"),
        ("Wed, 10 Jan 2024 10:00:00", 2, Resolution.MONTH, "Fri, 10 Nov 2023 10:00:00"),
        ("Wed, 10 Jan 2024 10:00:00", 24, Resolution.MONTH, "Mon, 10 Jan 2022 10:00:00"),
        ("Wed, 10 Jan 2024 10:00:00", 10, Resolution.DAY, "Sun, 31 Dec 2023 10:00:00"),
        ("Wed, 10 Jan 2024 10:00:00", 11, Resolution.HOUR, "Tue, 09 Jan 2024 23:00:00"),
        ("Wed, 10 Jan 2024 10:00:00", 999_999_999, Resolution.MONTH, "Thu, 01 Jan 1970 00:00:00"),
    ],
)
def test_a_duration_reaches_back(now: str, number: int, resolution: Resolution, before: str) -> None:
    assert periods.before(at(now), number, resolution) == at(before)


def test_months_are_those_of_the_calendar() -> None:
    period = periods.period(
        at("Thu, 30 Nov 2023 10:00:00"), at("Sat, 02 Mar 2024 00:00:00"), Resolution.MONTH
    )
    begins = [
        "Wed, 01 Nov 2023",
        "Fri, 01 Dec 2023",
        "Mon, 01 Jan 2024",
        "Thu, 01 Feb 2024",
        "Fri, 01 Mar 2024",
    ]
    assert period.buckets() == [at(f"{each} 00:00:00") for each in begins]
    assert period.past == at("Mon, 01 Apr 2024 00:00:00")


def test_both_ends_are_in_a_period() -> None:
    period = periods.period(at("Tue, 23 Jan 2024 16:23:45"), at("Thu, 25 Jan 2024 00:00:00"), Resolution.DAY)
    assert len(period.buckets()) == 3
    assert len(periods.period(0, 86400, Resolution.HOUR).buckets()) == 25


@pytest.mark.parametrize("text", ["", "7", "d", "7w", "-1d", "1.5h", "7d ago", "٣d", "9999999999h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        periods.parse_duration(text)


@pytest.mark.parametrize(
    ("start", "end", "resolution"),
    [
        (2.0, 1.0, Resolution.HOUR),
        (-1.0, 1.0, Resolution.HOUR),
        (0.0, 1e12, Resolution.MONTH),
        (0.0, 1.7e9, Resolution.HOUR),
        (float("nan"), 1.0, Resolution.DAY),
    ],
)
def test_an_impossible_period_is_refused(start: float, end: float, resolution: Resolution) -> None:
    with pytest.raises(ValueError, match=r"start|too long"):
        periods.period(start, end, resolution)
