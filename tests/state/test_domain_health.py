import pytest

from mailgun_emulator.state.domain_health import Band, health_of


@pytest.mark.parametrize(
    ("counts", "band", "reason"),
    [
        ({}, Band.NEW, "processed_count in new threshold"),
        ({"delivered.smtp": 50, "failed.permanent.bounce": 49}, Band.NEW, "processed_count in new threshold"),
        ({"delivered.smtp": 100}, Band.GOOD, "Multiple metrics in good threshold"),
        ({"delivered.smtp": 10_000, "complained": 4}, Band.GOOD, "Multiple metrics in good threshold"),
        ({"delivered.smtp": 10_000, "complained": 5}, Band.POOR, "complaint_rate in poor threshold"),
        (
            {"delivered.http": 96, "failed.permanent.bounce": 4},
            Band.GOOD,
            "Multiple metrics in good threshold",
        ),
        ({"delivered.smtp": 95, "failed.permanent.old": 5}, Band.POOR, "bounce_rate in poor threshold"),
        (
            {"delivered.smtp": 95, "failed.permanent.bounce": 5, "complained": 1},
            Band.POOR,
            "Multiple metrics in poor threshold",
        ),
    ],
)
def test_the_worst_of_enough_figures_counts(counts: dict[str, int], band: Band, reason: str) -> None:
    health = health_of(counts)
    assert (health.band, health.reason) == (band, reason)


def test_what_was_suppressed_is_no_bounce_and_what_is_counted_besides_counts_once() -> None:
    health = health_of(
        {
            "accepted.outgoing": 300,
            "delivered.smtp": 90,
            "delivered+retried": 9,
            "failed.permanent.bounce": 10,
            "failed+hard": 10,
            "failed.permanent.suppress-bounce": 100,
            "failed.temporary.generic": 50,
        }
    )
    assert health.bounce_rate.value == 0.1
    assert health.processed_count.value == 200
