"""The audit of logged propensities: silent on correct logs, loud on wrong ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from offline_rl.ope.records import Floats, Ints
from offline_rl.ope.trust.propensity_audit import PropensityAudit, audit_propensities
from offline_rl.ope.trust.propensity_identities import PropensityLog
from offline_rl.ope.trust.reliability import reliability
from reports.wording.sentences import say
from tests.offline_rl.ope.trust import audit_study
from tests.offline_rl.ope.worlds import softmax


@dataclass(frozen=True)
class Logged:
    """A log, and the probabilities [n, A] that its policy drew with."""

    log: PropensityLog
    probabilities: Floats

    def audit(self, propensity: Floats | None = None, **changes: Any) -> PropensityAudit:
        if propensity is not None:
            changes["propensity"] = propensity
        return audit_propensities(replace(self.log, **changes))


def drawn(n: int, n_actions: int, seed: int, *, taste: float = 0.5, n_users: int | None = None) -> Logged:
    """A softmax policy over three normal features, shown in three slots; users return with their features."""
    rng = np.random.default_rng(seed)
    user = np.arange(n) if n_users is None else rng.integers(0, n_users, n)
    context = rng.normal(size=(user.max() + 1, 3))[user]
    preference = np.random.default_rng(99).normal(size=(3, n_actions))
    probabilities = softmax(taste * context @ preference)
    action: Ints = (rng.random((n, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    log = PropensityLog(
        action=action,
        propensity=probabilities[np.arange(n), action],
        cluster=user,
        n_actions=n_actions,
        slot=rng.integers(0, 3, n),
        time=np.arange(n),
    )
    return Logged(log, probabilities)


def failed_share(n: int, taste: float, n_logs: int = 200) -> float:
    """Share of correct logs with 50 actions that the audit finds fault with."""
    logs = (drawn(n, 50, seed, taste=taste) for seed in range(n_logs))
    return float(np.mean([not each.audit(probabilities=each.probabilities).is_consistent for each in logs]))


def test_a_correct_log_fails_in_at_most_five_percent() -> None:
    assert failed_share(2000, 0.5, n_logs=40) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("taste", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("n", [1000, 10_000])
def test_a_correct_log_fails_in_at_most_five_percent_whatever_the_policy(n: int, taste: float) -> None:
    assert failed_share(n, taste) <= 0.05


def test_users_who_return_do_not_fail_it_either() -> None:
    failed = sum(not drawn(4000, 20, seed, n_users=300).audit().is_consistent for seed in range(60))
    assert failed / 60 <= 0.05


@pytest.mark.parametrize("factor", [1.3, 1 / 1.3])
def test_a_factor_of_1_3_is_found_at_10_000_rounds(factor: float) -> None:
    for seed in range(15):
        logged = drawn(10_000, 50, seed, taste=0.3)
        audit = logged.audit(np.minimum(factor * logged.log.propensity, 1.0))
        assert audit.findings[0].code == f"propensities_too_{'large' if factor > 1 else 'small'}"


def test_a_known_floor_finds_what_heavy_tails_hide() -> None:
    """A sharp softmax with 0.5 % for every action: without its floor, too little is as likely bad luck."""
    found, false = {None: 0, 0.005: 0}, 0
    for seed in range(20):
        logged = drawn(10_000, 10, seed, taste=3)
        floored = 0.95 * logged.probabilities + 0.005
        drawn_anew = np.random.default_rng(seed).random((10_000, 1)) > floored.cumsum(axis=1)[:, :-1]
        action = drawn_anew.sum(axis=1)
        right = PropensityLog(action, floored[np.arange(10_000), action], np.arange(10_000), n_actions=10)
        wrong = replace(right, propensity=np.minimum(1.3 * right.propensity, 1.0))
        for floor in found:
            found[floor] += not audit_propensities(wrong, least_propensity=floor).is_consistent
        false += not audit_propensities(right, least_propensity=0.005).is_consistent
    assert found[0.005] == 20
    assert false <= 3


@pytest.mark.parametrize("n_clusters", audit_study.CLUSTERS)
@pytest.mark.parametrize("knows_all", [False, True])
def test_a_correct_log_is_not_accused_however_few_clusters_it_has(n_clusters: int, knows_all: bool) -> None:
    """At a level of .001, 360 logs are hardly ever accused; one cluster was, always."""
    for world in audit_study.WORLDS:
        assert audit_study.found(world, n_clusters, range(30), knows_all=knows_all) == 0


@pytest.mark.slow
@pytest.mark.parametrize("n_clusters", audit_study.CLUSTERS)
@pytest.mark.parametrize("world", audit_study.WORLDS, ids=lambda world: world.__name__)
def test_a_correct_log_is_accused_at_most_once_in_a_thousand(
    world: Callable[[int, np.random.Generator], audit_study.Shown], n_clusters: int
) -> None:
    for knows_all in (False, True):
        # 3 or more of 600 are a chance of .003 at a level of .001.
        assert audit_study.found(world, n_clusters, range(600), knows_all=knows_all) <= 3


@pytest.mark.parametrize("factor", [1 / 1.2, 1.2])
def test_a_factor_of_1_2_is_found_at_200_clusters(factor: float) -> None:
    found = audit_study.found(audit_study.alone, 200, range(20), factor=factor, knows_all=True)
    assert found >= 18


def test_users_who_leave_at_what_they_dislike_do_not_make_it_too_frequent() -> None:
    """Their clusters are small: a mean of their shares would say that it is shown too often."""
    shown = audit_study.leaving(400, np.random.default_rng(0))
    disliked = np.bincount(shown.cluster, shown.action == 0) / np.bincount(shown.cluster)
    assert disliked.mean() > 1.5 * 0.2
    assert audit_propensities(shown.log()).is_consistent


def test_a_factor_in_one_slot_names_the_slot() -> None:
    logged = drawn(10_000, 10, seed=0)
    in_slot = logged.log.slot == 2
    audit = logged.audit(np.where(in_slot, logged.log.propensity / 1.5, logged.log.propensity))
    assert any(found.code.startswith("slot_") and found.number("slot") == 2 for found in audit.findings)


def test_a_factor_for_some_time_names_the_time() -> None:
    logged = drawn(10_000, 10, seed=0)
    late = np.arange(10_000) >= 7_500
    audit = logged.audit(np.where(late, logged.log.propensity / 1.5, logged.log.propensity))
    assert any(found.code.startswith("quarter_") and found.number("quarter") == 4 for found in audit.findings)


def test_one_over_n_logged_for_a_bandit_that_prefers_an_action() -> None:
    """weave-os/router#566: the sum of 1/p is what it should be, and every action's is wrong."""
    rng = np.random.default_rng(0)
    action = rng.choice(4, 2000, p=[0.55, 0.15, 0.15, 0.15])
    audit = audit_propensities(PropensityLog(action, np.full(2000, 0.25), np.arange(2000), n_actions=4))
    (found,) = audit.findings
    chosen = int((action == 0).sum())
    assert "the policy did not choose uniformly: action 0" in say([found])
    assert f"was chosen {chosen:,} times where 500 were expected" in say([found])


def test_one_over_n_logged_for_a_bandit_whose_taste_changes_over_time() -> None:
    """Each action is chosen equally often in all, but not in each quarter."""
    action = np.repeat(np.arange(4), 500)
    log = PropensityLog(action, np.full(2000, 0.25), np.arange(2000), n_actions=4, time=np.arange(2000))
    assert audit_propensities(replace(log, time=None)).is_consistent
    assert audit_propensities(log).findings[0].code == "quarter_action_off"


def test_an_action_that_is_never_chosen_is_missed() -> None:
    action = np.arange(3000) % 3
    log = PropensityLog(action, np.full(3000, 0.25), np.arange(3000), n_actions=4)
    audit = audit_propensities(log)
    assert not audit.is_consistent
    # The other three are chosen a third too often; the fourth, expected 750 times, is the worst.
    assert "action 3 was chosen 0 times where 750 were expected" in say(audit.findings[-1:])


def test_actions_out_of_stock_are_not_missed() -> None:
    rng = np.random.default_rng(0)
    available = np.array([[True, True, True, True], [True, True, False, False]])
    set_index = rng.integers(0, 2, 4000)
    action = np.where(set_index == 0, rng.integers(0, 4, 4000), rng.integers(0, 2, 4000))
    log = PropensityLog(action, np.where(set_index == 0, 0.25, 0.5), np.arange(4000), n_actions=4)
    assert audit_propensities(replace(log, available=available, set_index=set_index)).is_consistent
    assert not audit_propensities(log).is_consistent


def test_an_action_that_was_not_available_but_logged_is_too_much() -> None:
    log = PropensityLog(
        np.arange(1000) % 2,
        np.full(1000, 0.5),
        np.arange(1000),
        n_actions=2,
        available=np.array([[True, False]]),
        set_index=np.zeros(1000, dtype=int),
    )
    assert not audit_propensities(log).is_consistent


def test_an_action_that_no_round_could_show_and_none_did_is_left_out() -> None:
    log = PropensityLog(
        1 + np.arange(1000) % 2,
        np.full(1000, 0.5),
        np.arange(1000) // 4,
        n_actions=3,
        available=np.array([[False, True, True]]),
        set_index=np.zeros(1000, dtype=int),
    )
    audit = audit_propensities(log)
    assert audit.is_consistent
    assert audit.n_tests == 3


def test_without_full_support_only_too_much_is_a_finding() -> None:
    logged = drawn(10_000, 10, seed=0)
    too_large = replace(logged.log, propensity=np.minimum(1.5 * logged.log.propensity, 1.0))
    too_small = replace(logged.log, propensity=logged.log.propensity / 1.5)
    assert audit_propensities(too_large, has_full_support=False).is_consistent
    assert not audit_propensities(too_small, has_full_support=False).is_consistent


def test_a_shortfall_that_rare_contexts_explain_is_none() -> None:
    """In 5 % of contexts an action has probability 1 in 10,000; it leaves no trace and its sum lacks 5 %."""
    n = 2000
    action = np.where(np.arange(n) < 0.05 * n, 0, np.arange(n) % 2)
    propensity = np.where(np.arange(n) < 0.05 * n, 0.9999, 0.5)
    log = PropensityLog(action, propensity, np.arange(n), n_actions=2)
    assert audit_propensities(log, least_propensity=1e-4).is_consistent
    large = replace(
        log,
        **{name: np.tile(getattr(log, name), 50) for name in ("action", "propensity")},
        cluster=np.arange(50 * n),
    )
    assert not audit_propensities(large, least_propensity=1e-2).is_consistent


def test_probabilities_that_do_not_add_up_to_one() -> None:
    logged = drawn(500, 5, seed=0)
    probabilities = logged.probabilities.copy()
    probabilities[17, (logged.log.action[17] + 1) % 5] += 0.2
    (found,) = logged.audit(probabilities=probabilities).findings
    assert (
        say([found]) == "Row 17: the probabilities of its 5 actions add up to 1.2, not to 1; "
        "1 of 500 rounds are like that."
    )


def test_probabilities_that_are_not_the_propensity() -> None:
    logged = drawn(500, 5, seed=0)
    propensity = logged.log.propensity.copy()
    propensity[3] /= 2
    findings = logged.audit(propensity, probabilities=logged.probabilities).findings
    assert findings[0].code == "propensity_off" and findings[0].number("row") == 3


def test_probabilities_sharper_than_the_choices_fail_in_bins() -> None:
    logged = drawn(5000, 5, seed=0, taste=0.5)
    sharper = logged.probabilities**2 / (logged.probabilities**2).sum(axis=1, keepdims=True)
    row = np.arange(5000)
    audit = logged.audit(sharper[row, logged.log.action], probabilities=lambda rows: sharper[rows])
    assert any(found.code == "bin_off" for found in audit.findings)
    assert audit.reliability is not None
    honest = logged.audit(probabilities=logged.probabilities).reliability
    assert honest is not None
    assert audit.reliability.calibration_error > 3 * honest.calibration_error


def test_bins_of_a_coin_on_paper() -> None:
    """Probabilities 0.6 and 0.4, of 10 rounds 9 with the likelier: 9 and 1 where 6 and 4 were promised."""
    action = np.array([0] * 9 + [1])
    bins = reliability(np.tile([0.6, 0.4], (10, 1)), action, np.arange(10), 2)
    assert [(each.chosen, each.n_pairs) for each in bins.bins] == [(1, 10), (9, 10)]
    assert [each.expected for each in bins.bins] == pytest.approx([4.0, 6.0])
    assert bins.calibration_error == pytest.approx(0.3)


def test_every_choice_lies_in_one_bin() -> None:
    logged = drawn(700, 7, seed=1, taste=3)
    bins = reliability(logged.probabilities, logged.log.action, logged.log.cluster, 7).bins
    assert sum(each.chosen for each in bins) == 700
    assert sum(each.n_pairs for each in bins) == 700 * 7
    assert sum(each.expected for each in bins) == pytest.approx(700)


@pytest.mark.parametrize("wrong", [1.7, 0.0, -0.1, np.nan])
def test_what_is_no_probability(wrong: float) -> None:
    logged = drawn(100, 3, seed=0)
    propensity = logged.log.propensity.copy()
    propensity[[7, 9]] = wrong
    audit = logged.audit(propensity)
    assert not audit.is_consistent
    assert say(audit.findings[:1]).startswith(f"Row 7: propensity is {wrong:g}")
    assert "1 other rounds" in say(audit.findings[:1])


def test_rounded_propensities_are_no_finding() -> None:
    n = 200_000
    action = np.arange(n) % 34
    audit = audit_propensities(PropensityLog(action, np.full(n, 0.0294), np.arange(n), n_actions=34))
    assert audit.is_consistent


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"action": np.array([], dtype=int)}, "there are no rounds to audit"),
        ({"slot": np.zeros(9)}, "slot has 9 rows, but there are 10 actions"),
        ({"n_actions": 1}, "row 1: action is 1, but there are 1 actions"),
        ({"set_index": np.zeros(10, dtype=int)}, "available and set_index belong together"),
        ({"probabilities": np.full((10, 2), 0.5), "n_actions": None}, "need n_actions"),
    ],
)
def test_what_can_not_be_audited_is_refused(changes: dict[str, Any], sentence: str) -> None:
    log = PropensityLog(np.arange(10) % 2, np.full(10, 0.5), np.arange(10), n_actions=2)
    with pytest.raises(ValueError, match=sentence):
        audit_propensities(replace(log, **changes))
