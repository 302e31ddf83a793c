"""Frozen records as named tensors and one JSON value, and back: whole policies, as they serve.

A record is a dataclass of tensors, plain values, other records, and tuples, sets and mappings of these. What
many records share, as the policies of all segments share a model, is written once and is one object again
when it is read. No pickle: reading runs no code but the constructors of the classes that the reader names.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from torch import Tensor

Json = Any


def taken_apart(record: object) -> tuple[dict[str, Tensor], Json]:
    """Return the tensors of a record by their place in it, on the CPU, and the rest of it as JSON.

    Raises TypeError, naming the place, for a value that has no form here, such as a function.

    >>> from torch import ones
    >>> from offline_rl.two_tower import TwoTowerScore
    >>> numbers, card = taken_apart(TwoTowerScore({"bias": ones(1)}))
    >>> list(numbers), card["is"], card["parameters"]
    (['parameters.bias'], 'TwoTowerScore', {'map': [['bias', {'tensor': 'parameters.bias'}]]})
    """
    writer = _Writer()
    card = writer.write(record, "")
    return writer.numbers, card


def put_together(numbers: Mapping[str, Tensor], card: Json, kinds: Iterable[type]) -> Any:
    """Return the record of these `numbers` and this `card`.

    kinds: the classes that may be in it. Raises KeyError for another class or a tensor that is missing,
    TypeError or ValueError where a class refuses its fields.
    """
    return _Reader(numbers, {kind.__name__: kind for kind in kinds}).read(card, "")


@dataclass
class _Writer:
    numbers: dict[str, Tensor] = field(default_factory=dict)
    # id → where it was written first; the objects themselves are kept, so that no id is given twice.
    written: dict[int, tuple[str, object]] = field(default_factory=dict)

    def write(self, value: object, place: str) -> Json:
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"number": repr(value)}
        if id(value) in self.written:
            return {"same": self.written[id(value)][0]}
        self.written[id(value)] = (place, value)
        if isinstance(value, Tensor):
            # A view keeps all of its tensor alive, and two of them can't be stored in one file.
            self.numbers[place] = value.detach().to("cpu").contiguous().clone()
            return {"tensor": place}
        return self._many(value, place)

    def _many(self, value: object, place: str) -> Json:
        if is_dataclass(value) and not isinstance(value, type):
            own = {
                name: self.write(getattr(value, name), _below(place, name))
                for name in (one.name for one in fields(value))
            }
            return {"is": type(value).__name__, **own}
        if isinstance(value, tuple | list):
            return {"list": [self.write(one, _below(place, n)) for n, one in enumerate(value)]}
        if isinstance(value, frozenset):
            return {"set": sorted(value)}
        if isinstance(value, Mapping):
            return {"map": [[key, self.write(one, _below(place, key))] for key, one in value.items()]}
        raise TypeError(f"{place or 'The record'} is a {type(value).__name__}, which has no form in a file.")


@dataclass
class _Reader:
    numbers: Mapping[str, Tensor]
    kinds: Mapping[str, type]
    read_before: dict[str, Any] = field(default_factory=dict)

    def read(self, card: Json, place: str) -> Any:
        if not isinstance(card, dict):
            return card
        if "same" in card:
            return self.read_before[card["same"]]
        made = self._made(card, place)
        self.read_before[place] = made
        return made

    def _made(self, card: dict[str, Any], place: str) -> Any:
        if "number" in card:
            return float(card["number"])
        if "tensor" in card:
            return self.numbers[card["tensor"]]
        if "list" in card:
            return tuple(self.read(one, _below(place, n)) for n, one in enumerate(card["list"]))
        if "set" in card:
            return frozenset(card["set"])
        if "map" in card:
            return {key: self.read(one, _below(place, key)) for key, one in card["map"]}
        own = {name: self.read(one, _below(place, name)) for name, one in card.items() if name != "is"}
        return self.kinds[card["is"]](**own)


def _below(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)
