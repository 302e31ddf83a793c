"""The configuration file of a new shop, with every key explained."""

import os
from importlib.resources import files
from pathlib import Path
from string import Template

from features.errors import UsageError
from features.sources.adapters import ADAPTERS

# Default paths of the commands.
CONFIG = Path("metacart.toml")
DATA = Path("data")

EXPLORATION = 0.1
"""Share of traffic that is explored where nobody asked for another one."""

# Values of the shops that metacart can simulate or fetch; every other key has its default.
OPEN_BANDIT = {
    "source": "open_bandit",
    "currency_code": ADAPTERS["open_bandit"].currency_code,
    "attribution_hours": "1",
    "evidence_policies": '["random"]',
    "incumbent_policy": '"bts"',
    "by": '["surface", "user_feature_0"]',
    "min_rounds": "500",
    "key_file": '# key_file = "pseudonym.key"',
}
FILES = {
    "source": "files",
    "currency_code": "EUR",
    "attribution_hours": "24",
    "evidence_policies": "[]",
    "incumbent_policy": '""',
    "by": "[]",
    "min_rounds": "500",
    "key_file": '# key_file = "pseudonym.key"',
}
SIMULATED = {
    "source": "simulated",
    "currency_code": ADAPTERS["simulated"].currency_code,
    "attribution_hours": "24",
    "evidence_policies": "[]",
    "incumbent_policy": '""',
    "by": '["region", "device"]',
    "min_rounds": "500",
    "key_file": 'key_file = "pseudonym.key"',
}


PARTICULAR = {"open_bandit": OPEN_BANDIT, "simulated": SIMULATED, "files": FILES}


def starting_values(source: str) -> dict[str, str]:
    """Return the values of a new configuration of a source (`features.sources.adapters.SOURCES`)."""
    if source in PARTICULAR:
        return PARTICULAR[source]
    return FILES | {"source": source, "currency_code": ADAPTERS[source].currency_code}


def write_config(
    path: Path,
    kind: dict[str, str],
    *,
    name: str,
    logs: Path,
    data: Path,
    overwrite: bool = False,
    exploration: float = EXPLORATION,
) -> bool:
    """Write a commented configuration; return whether a file was written.

    An existing file is not changed, unless `overwrite`: somebody may have edited it.
    exploration: share of traffic that may be explored.
    Raises UsageError if the folder can't be written, or exploration is not a share.
    """
    if not 0 <= exploration <= 1:
        raise UsageError(
            f"{exploration:g} is not a share of traffic that can be explored: choose one from 0 to 1, as "
            "0.1 for one list in ten."
        )
    if path.exists() and not overwrite:
        return False
    folder = path.resolve().parent
    template = Template(files("flows").joinpath("templates/metacart.toml").read_text(encoding="utf-8"))
    places = {"logs": _relative(logs, folder), "data": _relative(data, folder)}
    text = template.substitute(
        kind, name=name, sources=", ".join(ADAPTERS), exploration=repr(float(exploration)), **places
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}. Choose another place.") from error
    return True


def _relative(target: Path, folder: Path) -> str:
    return Path(os.path.relpath(target.resolve(), folder)).as_posix()
