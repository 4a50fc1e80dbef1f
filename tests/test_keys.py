"""Secrets: what resolves, what is refused, and that a secret shows itself to nobody."""

import pickle
from pathlib import Path

import pytest

from checks.keys import MAX_SECRET_BYTES, Resolver, Secret, SecretError, fingerprint
from readiness.rules.references import ReferencePolicy, TeamGrant, reference_refusals

KEY = "qbt_0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conv").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "conv" / "key").write_text(KEY + "\n")
    (tmp_path / "other" / "key").write_text("qbt_of_somebody_else")
    return tmp_path


def resolver(folder: Path, environ: dict[str, str] | None = None) -> Resolver:
    grant = TeamGrant(variable_prefixes=("CONV_",), folders=(str(folder / "conv"),))
    return Resolver(team="conv", policy=ReferencePolicy(teams={"conv": grant}), environ=environ or {})


def code_of(resolve: Resolver, reference: str) -> str:
    with pytest.raises(SecretError) as caught:
        resolve(reference)
    assert KEY not in str(caught.value)
    return caught.value.code


def test_a_file_and_a_variable_resolve_without_their_line_end(folder: Path) -> None:
    assert resolver(folder)(f"file:{folder}/conv/key").reveal() == KEY
    assert resolver(folder, {"CONV_KEY": KEY})("env:CONV_KEY").reveal() == KEY


@pytest.mark.parametrize(
    "reference",
    [
        "file:/proc/self/environ",
        "file:{}/conv/../other/key",
        "file:{}/conv//key",
        "file:{}/conv",
        "file:{}/convict/key",
        "file:{}/other/key",
        "file:relative",
        "env:OTHER_KEY",
        "env:CONV_KEY=1",
        "env:",
        "vault:secret/x",
        "qbt_0123456789abcdef",
        "",
    ],
)
def test_what_the_operator_did_not_grant_is_refused(folder: Path, reference: str) -> None:
    environ = {"OTHER_KEY": KEY, "CONV_KEY": KEY}
    assert code_of(resolver(folder, environ), reference.format(folder)) == "refused"


def test_another_team_is_granted_nothing(folder: Path) -> None:
    policy = ReferencePolicy(teams={"conv": TeamGrant(variable_prefixes=("CONV_",))})
    assert len(reference_refusals("env:CONV_KEY", team="other", policy=policy)) == 1
    assert reference_refusals("env:CONV_KEY", team="conv", policy=policy) == []


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    (folder / "conv" / "link").symlink_to(folder / "other" / "key")
    assert code_of(resolver(folder), f"file:{folder}/conv/link") == "refused"


def test_a_link_that_stays_inside_is_followed_as_mounted_secrets_need(folder: Path) -> None:
    (folder / "conv" / "link").symlink_to("key")
    assert resolver(folder)(f"file:{folder}/conv/link").reveal() == KEY


def test_what_is_not_there_or_not_a_key_is_said(folder: Path) -> None:
    (folder / "conv" / "empty").write_text(" \n")
    (folder / "conv" / "two").write_text("one\ntwo")
    (folder / "conv" / "big").write_text("x" * (MAX_SECRET_BYTES + 1))
    (folder / "conv" / "raw").write_bytes(b"\xff\xfe")
    resolve = resolver(folder)
    assert code_of(resolve, f"file:{folder}/conv/none") == "missing"
    assert code_of(resolve, "env:CONV_NONE") == "missing"
    assert code_of(resolve, f"file:{folder}/conv/empty") == "malformed"
    assert code_of(resolve, f"file:{folder}/conv/two") == "malformed"
    assert code_of(resolve, f"file:{folder}/conv/big") == "malformed"
    assert code_of(resolve, f"file:{folder}/conv/raw") == "unreadable"


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {secret:>40} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_fingerprints_are_equal_for_equal_secrets_under_one_pepper_alone() -> None:
    assert fingerprint(Secret(KEY), pepper="a") == fingerprint(Secret(KEY), pepper="a")
    assert fingerprint(Secret(KEY), pepper="a") != fingerprint(Secret(KEY), pepper="b")
    assert fingerprint(Secret(KEY), pepper="a") != fingerprint(Secret(KEY + "1"), pepper="a")
