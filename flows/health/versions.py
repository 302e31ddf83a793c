"""Versions: whether the installed packages are those that metacart asks for.

Two of them fail silently or strangely, so their consequences are said: Prefect 3.8.8 breaks with newer
versions of its own dependencies.
"""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, warning, well

NAME = "versions"

_BREAKS = {
    "fastapi": "every Prefect flow fails with a TypeError",
    "sqlalchemy": "Prefect's scheduler creates no run and reports nothing, so no night ever starts",
}
_ADVICE = "Install metacart's versions: `pip install --requirement requirements.lock`."


def asked_versions() -> list[Requirement]:
    """Return what the installed metacart asks for, without its test tools; empty where it isn't installed."""
    try:
        asked = [Requirement(text) for text in requires("metacart") or ()]
    except PackageNotFoundError:
        return []
    return [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]


def installed_versions(asked: list[Requirement]) -> dict[str, str | None]:
    """Return name → installed version of each requirement; None where the package is missing."""
    return {one.name: _version(one.name) for one in asked}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_versions(asked: list[Requirement], installed: Mapping[str, str | None]) -> list[Check]:
    """Return a check of all versions, or one of each package that is missing or has another version."""
    if not asked:
        return [fault(NAME, "metacart itself is not installed.", "Run `pip install .`.", ExitStatus.FAILURE)]
    found = []
    for one in asked:
        has = installed[one.name]
        if has is None:
            found.append(fault(NAME, f"{one.name} is not installed.", _ADVICE, ExitStatus.FAILURE))
        elif not one.specifier.contains(has, prereleases=True):
            found.append(_other(one, has))
    return found or [well(NAME, f"{len(asked)} packages are as metacart asks for.")]


def _other(one: Requirement, has: str) -> Check:
    said = f"{one.name} is {has}, metacart asks for {one.specifier}"
    if consequence := _BREAKS.get(one.name.lower()):
        return fault(NAME, f"{said}: {consequence}.", _ADVICE, ExitStatus.FAILURE)
    return warning(NAME, f"{said}; nights were not tested with it.", _ADVICE)
