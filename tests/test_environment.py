"""What the environment says: empty is unset, secrets come from files unharmed, and wrong input is one clear line."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import policies
from config.environment import Environment

AWKWARD = ["plain", "$begins-with-a-dollar", "a b/%@:#?&=+", "ünïcödé"]


def with_secret(folder: Path, name: str, content: str, **more: str) -> Environment:
    (folder / "secret").write_text(content, encoding="utf-8")
    return Environment({f"{name}_FILE": str(folder / "secret"), **more})


@pytest.mark.parametrize("secret", AWKWARD)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_file_gives_its_value_without_its_line_end(tmp_path: Path, secret: str, end: str) -> None:
    env = with_secret(tmp_path, "READINESS_SECRET_KEY", secret + end)

    assert env.str("READINESS_SECRET_KEY", default="") == secret


@pytest.mark.parametrize("secret", AWKWARD)
def test_the_databases_password_comes_from_its_file(tmp_path: Path, secret: str) -> None:
    url = "postgres://readiness@database:5432/readiness?sslmode=verify-full"
    env = with_secret(tmp_path, "DATABASE_PASSWORD", f"{secret}\n", DATABASE_URL=url)

    settings = policies.database(env, tmp_path, {})

    assert settings["PASSWORD"] == secret
    assert settings["OPTIONS"] == {
        "connect_timeout": 5,
        "sslmode": "verify-full",
        "pool": {"min_size": 1, "max_size": 8, "timeout": 10, "reconnect_timeout": 3},
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://broker:6379/0", "redis://:p%2F%40%24@broker:6379/0"),
        ("rediss://people@broker:6380/1", "rediss://people:p%2F%40%24@broker:6380/1"),
        ("redis://:old@[::1]:6379/0", "redis://:p%2F%40%24@[::1]:6379/0"),
        ("", "filesystem://"),
    ],
)
def test_the_brokers_password_is_put_into_its_address(tmp_path: Path, url: str, expected: str) -> None:
    assert policies.broker_url(with_secret(tmp_path, "BROKER_PASSWORD", "p/@$\n", BROKER_URL=url)) == expected


def test_a_file_wins_over_the_variable_beside_it(tmp_path: Path) -> None:
    env = with_secret(tmp_path, "BROKER_PASSWORD", "from the file", BROKER_PASSWORD="from the variable")

    assert env.str("BROKER_PASSWORD") == "from the file"


def test_a_secret_file_that_is_missing_or_empty_is_one_clear_line(tmp_path: Path) -> None:
    missing = Environment({"DATABASE_PASSWORD_FILE": str(tmp_path / "none")})
    with pytest.raises(ImproperlyConfigured) as refused:
        missing.str("DATABASE_PASSWORD", default="")
    assert str(refused.value) == (
        f"DATABASE_PASSWORD_FILE names {tmp_path}/none, which cannot be read: No such file or directory."
    )

    with pytest.raises(ImproperlyConfigured) as refused:
        with_secret(tmp_path, "DATABASE_PASSWORD", " \n").str("DATABASE_PASSWORD", default="")
    assert str(refused.value) == f"DATABASE_PASSWORD_FILE names {tmp_path}/secret, which is empty."


def test_what_is_set_to_nothing_counts_as_not_set() -> None:
    env = Environment({"READINESS_HTTPS": "", "READINESS_HSTS_SECONDS": "", "READINESS_HOSTS": ""})

    assert env.bool("READINESS_HTTPS", default=True) is True
    assert env.int("READINESS_HSTS_SECONDS", default=7) == 7
    assert env.list("READINESS_HOSTS", default=["localhost"]) == ["localhost"]


@pytest.mark.parametrize(
    ("kind", "value"), [("bool", "ture"), ("int", "ten"), ("float", "soon"), ("json", "{"), ("bool", "2")]
)
def test_what_cannot_be_read_names_its_variable_and_not_its_value(kind: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        getattr(Environment({"NAME": value}), kind)("NAME", default=None)

    assert str(refused.value) == "NAME cannot be read; docs/settings.md says how it is written."


def test_a_list_may_have_spaces_after_its_commas() -> None:
    assert Environment({"NAMES": "one, two,,three "}).list("NAMES") == ["one", "two", "three"]


@pytest.mark.parametrize("given", [{}, {"READINESS_SECRET_KEY": ""}])
def test_deployed_it_does_not_start_without_a_secret_key(tmp_path: Path, given: Mapping[str, str]) -> None:
    assert Environment(given).str("READINESS_SECRET_KEY", default="") == ""
    with pytest.raises(ImproperlyConfigured, match=r"^Set READINESS_SECRET_KEY or READINESS_SECRET_KEY_FILE"):
        policies.embedded_secret_key(tmp_path, deployed=True)


@pytest.mark.parametrize("value", ["10.0.0.1/8", "10.0.0.0/8:0", "10.0.0.0/8,example.ca"])
def test_a_network_that_cannot_be_read_is_told_at_the_start_and_not_by_the_first_run(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^READINESS_ALLOWED_NETWORKS cannot be read: "):
        policies.allowed_networks(Environment({"READINESS_ALLOWED_NETWORKS": value}))
    assert policies.allowed_networks(Environment({"READINESS_ALLOWED_NETWORKS": "10.0.0.0/8"})) == ("10.0.0.0/8",)


@pytest.mark.parametrize("value", ["[]", "60", '{"a": "60"}', '{"a": null}', '{"a": 0}', '{"a": true}', '{"a": 1e9}'])
def test_an_interval_that_cannot_be_kept_is_told_at_the_start(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^READINESS_PROBE_EVERY_SECONDS must read "):
        policies.probe_intervals(Environment({"READINESS_PROBE_EVERY_SECONDS": value}))
    good = Environment({"READINESS_PROBE_EVERY_SECONDS": '{"key-validity": 3600}'})
    assert policies.probe_intervals(good) == {"key-validity": 3600}


def test_the_demo_in_which_anybody_may_act_as_anybody_is_never_deployed() -> None:
    deployed = {"DATABASE_URL": "postgres://readiness@database/readiness"}

    assert policies.demo_wanted(Environment({"READINESS_DEMO": "1"}))
    assert not policies.demo_wanted(Environment(deployed))
    with pytest.raises(ImproperlyConfigured, match="does not go with DATABASE_URL"):
        policies.demo_wanted(Environment({"READINESS_DEMO": "1", **deployed}))
