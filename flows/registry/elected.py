"""The policy that a night has elected, written into its work as the registry will hold it."""

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
    """Write the promoted policy, how it reads decisions, and its card; champion: of the same election."""
    tasks, verdict = today.tasks, election.overall
    folder = work.elected(area)
    folder.mkdir(parents=True)
    left = left_segments(champion, tasks.segment_ids)
    learned = work.policy(area, champion.champion)
    layers, readings = today.to_store(learned, left, work.reading(area))
    save_layers(layers, folder / POLICY)
    write_readings(folder / READINGS, readings)
    card = ChampionCard(
        policy_version=version_of(champion.champion, night.run_id),
        area=area,
        shop=night.shop,
        learner=champion.champion,
        as_of=night.as_of,
        run_id=night.run_id,
        data_from=night.data_from,
        data_to=night.data_to,
        seed=settings.night.seed,
        config_sha256=night.config_sha256,
        parent=night.champions.of(area).policy_version,
        kept_from=tuple(sorted(champion.kept_from)),
        difference=verdict.difference,
        lower=verdict.lower,
        upper=verdict.upper,
        confidence=settings.evaluation.confidence,
        n_segments=tasks.n_segments,
        n_items=len(tasks.action_ids),
        is_adapted=learned.adapts,
        files=checksums(folder, FILES),
    )
    write_card(folder, card)
