"""The password of the server: the operator's, or one that is made once and that nobody else may read."""

import pytest

from features.errors import UsageError
from flows.prefect_flows.credentials import GIVEN, auth_file, auth_string


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch):
    monkeypatch.delenv(GIVEN, raising=False)


def test_a_password_is_made_once(tmp_path):
    home = tmp_path / "home"
    made = auth_string(home)
    assert auth_string(home) == made
    assert len(made.partition(":")[2]) >= 32
    assert auth_file(home).stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert auth_string(tmp_path / "other") != made


def test_the_operators_own_is_used_and_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv(GIVEN, "ann:secret")
    assert auth_string(tmp_path) == "ann:secret"
    assert not auth_file(tmp_path).exists()


@pytest.mark.parametrize("given", ["", "ann", ":secret", "ann:", "ann:sécret", "ann:a\nb"])
def test_half_a_password_is_refused(tmp_path, monkeypatch, given):
    monkeypatch.setenv(GIVEN, given)
    with pytest.raises(UsageError, match="must be user:password"):
        auth_string(tmp_path)


def test_a_password_that_others_may_read_is_refused(tmp_path):
    auth_string(tmp_path)
    auth_file(tmp_path).chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        auth_string(tmp_path)
