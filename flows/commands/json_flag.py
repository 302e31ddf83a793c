"""The option `--json`, which several verbs have."""

from typing import Annotated

from cyclopts import Parameter

JsonFlag = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object as the last line.")
]
