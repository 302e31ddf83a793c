"""The verbs about champions: champions, rollback, pin, unpin."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from features.areas import AREAS
from features.contracts.policy_versions import OWN_POLICY, policy_of
from features.errors import UsageError
from flows.commands.json_flag import JsonFlag
from flows.commands.spoken import period
from flows.settings import Settings, read_settings
from flows.shops import CONFIG
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.published_nights import PublishedNight
    from flows.registry.hand import Act
    from flows.registry.listing import AreaChampions, ListedChampion


def champions(*, config: Path = CONFIG, as_json: JsonFlag = False) -> None:
    """List the policies that the shop's nights have elected, by area: who serves, and who served.

    Where lists serve that nothing proves, it names them.
    """
    from flows.registry.listing import list_champions

    settings = read_settings(config)
    listed = list_champions(Workspace(settings))
    if as_json:
        content = {of_area.area: asdict(of_area) for of_area in listed}
        print(json.dumps(content, default=str))
        return
    for line in _lines(listed, settings):
        print(line)


def rollback(policy_version: str, /, *, area: str, config: Path = CONFIG) -> None:
    """Let an earlier policy serve again, from the night that is run next; the night after it is open again.

    Parameters
    ----------
    policy_version
        The policy, as `metacart champions` and the tables call it; the name of the shop's own policy, which
        `metacart champions` names too, takes every elected one out of service.
    area
        Area of decision, such as recommendation.
    """
    _decide("rollback", area, policy_version, config)


def pin(policy_version: str = "", /, *, area: str, config: Path = CONFIG) -> None:
    """Let one policy serve until `metacart unpin`, whatever the evidence says.

    Parameters
    ----------
    policy_version
        The policy; by default the one that serves.
    area
        Area of decision, such as recommendation.
    """
    _decide("pin", area, policy_version, config)


def unpin(*, area: str, config: Path = CONFIG) -> None:
    """Let evidence decide again in an area whose policy was pinned.

    Parameters
    ----------
    area
        Area of decision, such as recommendation.
    """
    _decide("unpin", area, "", config)


def _decide(act: "Act", area: str, policy_version: str, config: Path) -> None:
    from flows.registry.hand import Decision, record
    from flows.registry.listing import champion_folders, find_champion
    from flows.registry.newest_night import newest_night, serving_lists
    from flows.registry.standing_champions import standing_on_the_next_night

    settings = read_settings(config)
    workspace = Workspace(settings)
    learned = [one.name for one in AREAS if one.is_learned]
    if area not in learned:
        raise UsageError(f"There is no area {area!r} with policies. There are: {', '.join(learned)}.")
    with workspace.locked():
        newest = workspace.last_night()
        if newest is None:
            raise UsageError(
                f"{workspace.shop} has no published night yet, so nothing serves. Run one first."
            )
        stands = standing_on_the_next_night(workspace, newest).of(area)
        if act == "unpin" and stands.hand != "pinned":
            raise UsageError(f"No policy of {area} is pinned.")
        last_night = newest_night(workspace)
        if act != "unpin" and not stands.policy_version and not champion_folders(workspace, area):
            _refuse_without_judgement(act, area, last_night)
        version, sha256 = policy_version, ""
        if act == "pin" and not policy_version:
            version, sha256 = stands.policy_version, stands.sha256
        elif policy_version == own_version(settings):
            version = ""
        elif policy_version:
            sha256 = find_champion(workspace, area, policy_version).sha256
        # The shop's own policy takes no place from lists: they serve wherever no elected policy does.
        lists = "" if version else ", ".join(serving_lists(last_night).get(area, ()))
        record(workspace, Decision(act, area, newest.isoformat(), version, sha256))
    print(_done(act, area, version or own_version(settings), newest, lists))


def _refuse_without_judgement(act: "Act", area: str, night: "PublishedNight | None") -> None:
    """Refuse a decision that would change nothing: the newest night judged no policy of the area."""
    from flows.registry.newest_night import serving_lists, without_judgement

    why = without_judgement(night).get(area) if night is not None else None
    if night is None or why is None:
        return
    lists = serving_lists(night).get(area)
    serve = ", and lists serve without proof" if lists is not None else ""
    verb = "pinned" if act == "pin" else "rolled back"
    raise UsageError(
        f"Nothing can be {verb} in {area}, and nothing was changed: the night of {night.as_of} judged no "
        f"policy there{serve}. {why} Ask again after a night that judges policies of {area}."
    )


def own_version(settings: Settings) -> str:
    """Return the name of the shop's own policy in tables."""
    return settings.night.incumbent_policy or OWN_POLICY


def _done(act: "Act", area: str, version: str, newest: date, lists: str) -> str:
    if act == "unpin":
        return f"{area}: evidence decides again from the next night on."
    if lists:
        until = "until `metacart unpin`" if act == "pin" else "by the next night"
        return f"{area}: the lists {lists} go on serving, and no policy is promoted {until}."
    until = "until `metacart unpin`" if act == "pin" else "for one night"
    return (
        f"{area}: {version} serves from the next night on, {until}. `metacart run --as-of {newest}` runs the "
        "newest night again with it."
    )


def _lines(listed: "list[AreaChampions]", settings: Settings) -> Iterator[str]:
    if not listed:
        yield f"No night has elected a policy yet: {own_version(settings)}, the shop's own, serves."
    elif not any(of_area.champions for of_area in listed):
        yield "No night has elected a policy yet."
    for of_area in listed:
        yield of_area.area
        if of_area.lists is not None:
            yield f"  lists     {_lists_line(of_area)}"
        elif of_area.own_serves:
            pinned = ", pinned" if of_area.hand == "pinned" else ""
            yield f"  champion  {own_version(settings)}, the shop's own{pinned}"
        if of_area.champion_waits:
            yield f"  The night of {of_area.rests_since} could judge no policy here: its champion waits."
        for champion in of_area.champions:
            yield f"  {champion.state:<9} {_line(champion)}"


def _lists_line(of_area: "AreaChampions") -> str:
    rankers = ", ".join(sorted({policy_of(version) for version in of_area.lists or ()}))
    named = f"{', '.join(of_area.lists)}: lists by {rankers}" if of_area.lists else "lists"
    pinned = "; pinned: no policy is promoted" if of_area.hand == "pinned" else ""
    return f"{named}, which nothing proves, serve after the night of {of_area.rests_since}{pinned}"


def _line(champion: "ListedChampion") -> str:
    card = champion.card
    pinned = ", pinned" if champion.hand == "pinned" else ""
    parent, served = card.parent or "the shop's own policy", "never published"
    elected = f"elected on {card.elected_on} in place of {parent}"
    if card.elected_version != card.policy_version:
        elected = f"{card.elected_version}, learned anew on {card.as_of}; elected on {card.elected_on}"
    if champion.served_from is not None:
        last = champion.served_to or champion.served_from
        nights = "night" if champion.served_from == last else "nights"
        served = f"served after the {nights} of {period(champion.served_from, last)}"
    elif champion.state != "candidate":
        served = "its nights are no longer kept"
    if champion.experiment:
        elected = f"learned on {card.as_of}, in an experiment against {parent}"
        served = "it runs" if champion.experiment == "runs" else "it ended without a promotion"
    lead = "a difference that the log did not tell"
    if card.difference is not None and card.lower is not None and card.upper is not None:
        lead = f"{card.difference:+.5f} per round ({card.lower:+.5f} to {card.upper:+.5f})"
    return f"{card.policy_version}{pinned}: {elected} by {lead}; {served}"
