"""The policy that serves after a night, written into its work as the registry will hold it."""

from dataclasses import dataclass, fields
from datetime import date

from features.contracts.policy_versions import version_of
from flows.champion_folder import FILES, POLICY, READINGS, ChampionCard, write_card, write_readings
from flows.checksums import checksums
from flows.night_folder import Night, NightFolder
from flows.settings import Settings
from offline_rl.champions.standing import Today
from offline_rl.champions.stored import save_layers
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
    tasks = today.tasks
    learner = champion.refitted or champion.champion
    folder = work.elected(area)
    folder.mkdir(parents=True)
    is_refit = bool(champion.refitted)
    left = today.left_by_champion() if is_refit else left_segments(champion, tasks.segment_ids)
    learned = work.policy(area, learner)
    layers, readings = today.to_store(learned, left, work.reading(area), is_refit=is_refit)
    save_layers(layers, folder / POLICY)
    write_readings(folder / READINGS, readings)
    version = version_of(learner, night.run_id)
    if is_refit:
        verdict = _of_election(work.standing_card(area))
    else:
        verdict = _Verdict(
            elected_version=version,
            elected_on=night.as_of,
            kept_from=tuple(sorted(champion.kept_from)),
            difference=election.overall.difference,
            lower=election.overall.lower,
            upper=election.overall.upper,
            confidence=settings.evaluation.confidence,
        )
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
    difference: float
    lower: float
    upper: float
    confidence: float


def _of_election(card: ChampionCard) -> _Verdict:
    return _Verdict(**{field.name: getattr(card, field.name) for field in fields(_Verdict)})
