import pytest

from mailgun_emulator.mail import providers
from mailgun_emulator.mail.bounce_rules import ENTITY_NAMES, PROVIDER_ENTITIES, RULES, Rule, classify


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.group)
def test_each_rule_is_met_by_its_sample(rule: Rule) -> None:
    sample = rule.sample
    enhanced, _, text = sample.partition(" ")
    if not enhanced[:1].isdigit():
        enhanced, text = "", sample
    code = next(iter(rule.codes), 550)
    assert classify(code, enhanced, text) == rule


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "group"),
    [
        (550, "5.1.1", "5.1.1 The email account that you tried to reach does not exist", "unknown-recipient"),
        (550, "5.1.1", "", "unknown-recipient"),
        (552, "", "", "full-mailbox"),
        (421, "4.7.0", "4.7.0 Service not available, closing transmission channel", "connection"),
        (451, "4.7.1", "Greylisting in action", "greylisting"),
        (550, "5.7.26", "", "authentication"),
        (550, "5.7.512", "", "reputation"),
        (554, "", "", "reputation"),
        (498, "", "No MX for [example.com]", "unknown-domain"),
        (599, "", "", "unclassified"),
    ],
)
def test_codes_and_words_tell_why(code: int, enhanced: str, text: str, group: str) -> None:
    rule = classify(code, enhanced, text)
    assert rule is not None
    assert rule.group == group


@pytest.mark.parametrize("code", [0, 250, 602, 605, 606, 607, 650])
def test_what_no_server_answered_is_not_classified(code: int) -> None:
    assert classify(code, "", "spamhaus") is None


def test_every_provider_and_every_filter_is_an_entity() -> None:
    assert set(PROVIDER_ENTITIES) == {"Other", *providers.GROUPS}
    assert set(PROVIDER_ENTITIES.values()) | {rule.filter for rule in RULES if rule.filter} == set(
        ENTITY_NAMES
    )
    assert len({rule.id for rule in RULES}) == len(RULES)
