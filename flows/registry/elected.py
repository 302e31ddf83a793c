"""The policy that serves after a night, written into its work as the registry will hold it."""

import shutil
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Literal

from features.contracts.policy_versions import version_of
from flows.champion_folder import (
    FILES,
    READINGS,
    ChampionCard,
    ChampionFolder,
    write_card,
    write_readings,
)
from flows.checksums import checksums
from flows.night_folder import Night, NightFolder
from flows.settings import Settings
from offline_rl.champions.forms import Form
from offline_rl.champions.standing import Today
from offline_rl.champions.stored import save_layers
from offline_rl.experiments.readout import Readout
from offline_rl.experiments.tonight import ExperimentTonight
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.sharpened import as_sharp_as
from offline_rl.ope.trust.verdict import Verdict as GateVerdict
from offline_rl.registry import Champion, Election, left_segments


def keep_elected(
    work: NightFolder,
    night: Night,
    area: str,
    *,
    settings: Settings,
    today: Today,
    election: Election,
    champion: Champion,
) -> None:
    """Write the promoted policy, or the champion learned anew, how it reads decisions, and its card.

    champion: of the same election.
    """
    learner = champion.refitted or champion.champion
    is_refit = bool(champion.refitted)
    if is_refit:
        left = today.left_by_champion()
        verdict = _of_election(work.standing_card(area))
    else:
        left = left_segments(champion, today.tasks.segment_ids)
        kept_from = tuple(sorted(champion.kept_from))
        verdict = _verdict_of(
            election.overall,
            version=version_of(learner, night.run_id),
            night=night,
            kept_from=kept_from,
            confidence=settings.evaluation.confidence,
        )
    _store(
        work.elected(area),
        work,
        night,
        area,
        settings=settings,
        today=today,
        learner=learner,
        left=left,
        verdict=verdict,
        is_refit=is_refit,
    )


def keep_candidate(
    work: NightFolder,
    night: Night,
    area: str,
    *,
    settings: Settings,
    today: Today,
    found: GateVerdict,
) -> None:
    """Write the candidate of an experiment that begins, as `keep_elected` writes a promoted policy.

    found: what the gate said of it.
    """
    version = version_of(found.candidate, night.run_id)
    protected = _protected(today, settings)
    left = frozenset(map(today.tasks.segment_ids.index, protected))
    _store(
        work.new_candidate(area),
        work,
        night,
        area,
        settings=settings,
        today=today,
        learner=found.candidate,
        left=left,
        verdict=_verdict_of(
            found,
            version=version,
            night=night,
            kept_from=protected,
            confidence=settings.evaluation.confidence,
        ),
    )


def elect_candidate(
    work: NightFolder,
    night: Night,
    *,
    settings: Settings,
    today: Today,
    experiment: ExperimentTonight,
    readout: Readout,
) -> None:
    """Write the candidate that has won its experiment as the elected policy, with a card that says so.

    It is what its learner has learned tonight, or else the candidate as it was when the experiment began.
    """
    area = experiment.area
    by_users = partial(
        _verdict_of, readout, night=night, confidence=readout.confidence, evidence_level="experiment"
    )
    if experiment.version == version_of(experiment.learner, night.run_id):
        kept_from = _protected(today, settings)
        _store(
            work.elected(area),
            work,
            night,
            area,
            settings=settings,
            today=today,
            learner=experiment.learner,
            left=frozenset(map(today.tasks.segment_ids.index, kept_from)),
            verdict=by_users(version=experiment.version, kept_from=kept_from),
        )
        return
    folder, candidate = work.elected(area), ChampionFolder(work.candidate_folder(area))
    folder.mkdir(parents=True)
    card = candidate.card
    for name in card.files:
        shutil.copyfile(candidate.path / name, folder / name)
    elected = vars(by_users(version=card.elected_version, kept_from=card.kept_from))
    write_card(folder, replace(card, parent=night.champions.of(area).policy_version, **elected))


def _protected(today: Today, settings: Settings) -> tuple[str, ...]:
    """Return tonight's segments that today's policy keeps, whatever happens."""
    return tuple(name for name in today.tasks.segment_ids if name in settings.segments.protected)


def _store(
    folder: Path,
    work: NightFolder,
    night: Night,
    area: str,
    *,
    settings: Settings,
    today: Today,
    learner: str,
    left: frozenset[int],
    verdict: "_Verdict",
    is_refit: bool = False,
) -> None:
    tasks = today.tasks
    folder.mkdir(parents=True)
    learned = work.last_fit(area, learner)
    # Of a candidate that was on trial what serves is sharp already, and what the gate compared is not.
    evaluated = as_sharp_as(work.policy(area, learner), learned)
    forms: dict[Form, MetaPolicy] = {"served": learned, "evaluated": evaluated}
    layers, readings = today.to_store(forms, left, work.reading(area), is_refit=is_refit)
    for form, of_form in layers.items():
        save_layers(of_form, folder / form)
    write_readings(folder / READINGS, readings)
    version = version_of(learner, night.run_id)
    card = ChampionCard(
        policy_version=version,
        area=area,
        shop=night.shop,
        learner=learner,
        as_of=night.as_of,
        run_id=night.run_id,
        data_from=night.data_from,
        data_to=night.data_to,
        seed=settings.night.seed,
        config_sha256=night.config_sha256,
        parent=today.standing.policy_version if today.standing is not None else "",
        **vars(verdict),
        n_segments=tasks.n_segments,
        n_items=len(tasks.action_ids),
        is_adapted=learned.adapts,
        files=checksums(folder, FILES),
    )
    write_card(folder, card)


@dataclass(frozen=True)
class _Verdict:
    """What a card says of the election; see `ChampionCard`."""

    elected_version: str
    elected_on: date
    kept_from: tuple[str, ...]
    difference: float | None
    lower: float | None
    upper: float | None
    confidence: float
    evidence_level: Literal["logged", "experiment"] = "logged"


def _verdict_of(
    found: GateVerdict | Readout,
    *,
    version: str,
    night: Night,
    kept_from: tuple[str, ...],
    confidence: float,
    evidence_level: Literal["logged", "experiment"] = "logged",
) -> _Verdict:
    return _Verdict(
        elected_version=version,
        elected_on=night.as_of,
        kept_from=kept_from,
        difference=_known(found.difference),
        lower=_known(found.lower),
        upper=_known(found.upper),
        confidence=confidence,
        evidence_level=evidence_level,
    )


def _known(number: float) -> float | None:
    return number if isfinite(number) else None


def _of_election(card: ChampionCard) -> _Verdict:
    return _Verdict(**{field.name: getattr(card, field.name) for field in fields(_Verdict)})
