import pytest

from offline_rl.ope.named_estimators import PLAIN, WITH_HYPERPARAMETER, from_name


@pytest.mark.parametrize("name", [*PLAIN, *(f"{family}:2.5" for family in WITH_HYPERPARAMETER)])
def test_an_estimator_goes_by_the_name_it_was_asked_by(name: str) -> None:
    assert from_name(name).name == name


@pytest.mark.parametrize(
    "name", ["", "ipz", "snips:3", "ips:", "ips:ten", "ips:nan", "ips:inf", "dm:1", "IPS"]
)
def test_an_unknown_name_lists_what_exists(name: str) -> None:
    with pytest.raises(ValueError, match=r"Known are dm, dr, dr:NUMBER, ips, ips:NUMBER, sndr, snips\.$"):
        from_name(name)


@pytest.mark.parametrize("name", ["ips:0", "dr:-1"])
def test_a_clip_leaves_some_weight(name: str) -> None:
    with pytest.raises(ValueError, match="leaves no weight"):
        from_name(name)
