from typing import Any

import pytest

from mailgun_emulator.core.settings import BadSetting, Settings, variable


@pytest.fixture(autouse=True)
def no_variable_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)


def test_what_is_given_comes_before_the_environment_and_that_before_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILGUN_EMULATOR_PORT", "9000")
    monkeypatch.setenv("MAILGUN_EMULATOR_HOST", "::1")
    settings = Settings.load({"port": "9001"})
    assert (settings.port, settings.host, settings.database) == (9001, "::1", ":memory:")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("strict", "yes", True),
        ("seed", "7", 7),
        ("domain", "A.example.com, b.example.com", ("a.example.com", "b.example.com")),
        ("simulator_domain", "bounces.test", ("bounces.test",)),
        ("webhook_rewrite", "a.com=B:80, c=https://[::1]", ("a.com=b:80", "c=https://[::1]")),
        ("log_level", "WARNING", "warning"),
        ("smtp_port", "Off", None),
        ("smtp_port", "0", 0),
        ("relay", "smtp://me:secret@mail.test:2525", "smtp://me:secret@mail.test:2525"),
    ],
)
def test_a_variable_is_read_as_its_setting(
    name: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MAILGUN_EMULATOR_{name.upper()}", text)
    settings = Settings.load({})
    assert getattr(settings, name) == value
    assert settings.model_fields_set == {name}


@pytest.mark.parametrize("text", ["", "tcp://10.0.0.7:8025"])
def test_what_compose_and_kubernetes_set_unasked_is_no_setting(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILGUN_EMULATOR_PORT", text)
    assert Settings.load({}).port == 8025


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(BadSetting):
        Settings.load({"prot": "8025"})


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ({"port": "80x"}, {}, "--port can't be '80x': "),
        ({}, {"MAILGUN_EMULATOR_PORT": "65536"}, "MAILGUN_EMULATOR_PORT can't be '65536': "),
        ({"log_level": "loud"}, {}, "--log-level can't be 'loud': "),
        ({"domain": ("no domain",)}, {}, "--domain can't be 'no domain': 'no domain' is not a domain name"),
        ({"domain": (",",)}, {}, "--domain can't be ',': name one at least"),
        (
            {"webhook_rewrite": ("localhost",)},
            {},
            "--webhook-rewrite can't be 'localhost': 'localhost' is not FROM=TO with a host, or host:port, "
            "on either side, as localhost=host.docker.internal is",
        ),
        ({"webhook_rewrite": ("a=b=c",)}, {}, "--webhook-rewrite can't be 'a=b=c': "),
        ({"webhook_rewrite": ("a=b:0",)}, {}, "--webhook-rewrite can't be 'a=b:0': "),
        ({"webhook_rewrite": ("a:99999=b",)}, {}, "--webhook-rewrite can't be 'a:99999=b': "),
        ({"webhook_rewrite": ("[zz]=b",)}, {}, "--webhook-rewrite can't be '[zz]=b': "),
        ({"webhook_rewrite": ("a=ftp://b",)}, {}, "--webhook-rewrite can't be 'a=ftp://b': "),
        ({"event_retention": "0"}, {}, "--event-retention can't be '0': "),
        ({"smtp_port": "on"}, {}, "--smtp-port can't be 'on': "),
        ({"relay": "mail.test:25"}, {}, "--relay can't be 'mail.test:25': it is smtp://host:port or "),
        ({"relay": "smtp://"}, {}, "--relay can't be 'smtp://': it is smtp://host:port or "),
        ({"tracking_url": "localhost:1"}, {}, "--tracking-url can't be 'localhost:1': it has to be a URL"),
    ],
)
def test_a_bad_setting_is_named_as_it_was_given(
    given: dict[str, Any], environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(BadSetting) as refused:
        Settings.load(given)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
