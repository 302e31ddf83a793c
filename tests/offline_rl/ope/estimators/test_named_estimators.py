import pytest

from offline_rl.ope.estimators.named_estimators import PLAIN, WITH_HYPERPARAMETER, from_name

NUMBERS = {"weighted_loggers_ips": "3", "weighted_loggers_dr": "3"}


@pytest.mark.parametrize(
    "name",
    [
        *PLAIN,
        *(f"{family}:{NUMBERS.get(family, '0.25')}" for family in WITH_HYPERPARAMETER),
        "ips:2.123456789",
        "ips:inf",
        "dr:inf",
        "balanced:inf",
        "switch_dr:0",
        "switch_dr:inf",
        "dr_os:0",
        "dr_os:inf",
        "subgaussian_ips:0",
        "subgaussian_dr:1",
    ],
)
def test_an_estimator_goes_by_the_name_it_was_asked_by(name: str) -> None:
    assert from_name(name).name == name


@pytest.mark.parametrize(
    "name", ["", "ipz", "snips:3", "ips:", "ips:ten", "ips:nan", "dm:1", "IPSY", "switch_dr", "mips:2"]
)
def test_an_unknown_name_lists_what_exists(name: str) -> None:
    known = (
        r"Known are balanced, balanced:NUMBER, balanced_loggers_dr, balanced_loggers_ips, beta_dr, "
        r"beta_ips, cressie_read, dm, dr, dr:NUMBER, dr_os:NUMBER, empirical_likelihood, ips, "
        r"ips:NUMBER, mips, mrdr, off_cem, "
        r"sndr, snips, snmips, subgaussian_dr:NUMBER, subgaussian_ips:NUMBER, switch_dr:NUMBER, "
        r"weighted_loggers_dr:NUMBER, weighted_loggers_ips:NUMBER\.$"
    )
    with pytest.raises(ValueError, match=known):
        from_name(name)


@pytest.mark.parametrize("name", ["ips:0", "dr:-1", "balanced:0", "ips:-inf"])
def test_a_clip_leaves_some_weight(name: str) -> None:
    with pytest.raises(ValueError, match="leaves no weight"):
        from_name(name)


@pytest.mark.parametrize(("name", "symbol"), [("switch_dr:-1", "tau"), ("dr_os:-0.5", "lambda")])
def test_a_threshold_is_not_negative(name: str, symbol: str) -> None:
    with pytest.raises(ValueError, match=rf"^{symbol} is -[\d.]+: give a number from 0 up, or inf\."):
        from_name(name)


@pytest.mark.parametrize("name", ["subgaussian_ips:-0.1", "subgaussian_dr:1.1", "subgaussian_ips:inf"])
def test_a_mixing_share_is_a_share(name: str) -> None:
    with pytest.raises(ValueError, match=r"^lambda is .*: give a number from 0 to 1"):
        from_name(name)


@pytest.mark.parametrize(
    "name", ["weighted_loggers_ips:0", "weighted_loggers_dr:1.5", "weighted_loggers_ips:inf"]
)
def test_loggers_are_counted(name: str) -> None:
    with pytest.raises(ValueError, match=r"^the number of loggers is .*: give a whole number from 1 up\."):
        from_name(name)
