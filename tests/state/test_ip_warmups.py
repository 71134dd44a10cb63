from typing import Any

from mailgun_emulator.state.ip_warmups import STAGE_SECONDS, STAGES, IpWarmup, Stage

HOUR = 3600


def begun(**values: Any) -> IpWarmup:
    at: Any = dict.fromkeys(("started_at", "updated_at", "stage_started_at", "hour_started_at"), 0.0)
    return IpWarmup(account_id="a", ip="1.2.3.4", **at, **values)


def test_each_stage_allows_more_than_the_one_before() -> None:
    assert len(STAGES) == 15
    assert sorted(set(STAGES)) == list(STAGES)


def test_a_stage_that_is_sent_is_over_and_what_was_sent_is_carried_on() -> None:
    warmup = begun(sent=999, start_volume=5, first_sent_at=7.0)
    warmup.count(100.0)
    assert warmup.stages == [Stage(7.0, 100.0, 1000)]
    assert (warmup.stage, warmup.start_volume, warmup.sent, warmup.throttle) == (1, 1005, 0, 50)


def test_an_hour_gives_a_fortieth_and_never_more_than_the_stage_has_left() -> None:
    warmup = begun(sent_in_hour=25)
    warmup.go_on(HOUR - 1)
    assert warmup.throttle == 0
    warmup.go_on(HOUR)
    assert (warmup.throttle, warmup.hour_started_at) == (25, HOUR)
    warmup.sent = 990
    assert warmup.throttle == 10


def test_time_ends_one_stage_after_another_at_the_instant_it_is_due() -> None:
    warmup = begun(sent=10, first_sent_at=3.0)
    warmup.go_on(2.5 * STAGE_SECONDS)
    assert warmup.stages == [Stage(3.0, STAGE_SECONDS, 1000), Stage(0.0, 2 * STAGE_SECONDS, 2000)]
    assert (warmup.stage_started_at, warmup.start_volume) == (2 * STAGE_SECONDS, 10)
    warmup.go_on(len(STAGES) * STAGE_SECONDS)
    assert warmup.is_over


def test_the_last_stage_ends_the_plan() -> None:
    warmup = begun(stage=len(STAGES) - 1, sent=STAGES[-1] - 1)
    warmup.count(1.0)
    assert warmup.is_over
