"""Options that need no pydantic are read without it: loading it takes as long as a listing's query.

Typer reads every option with a pydantic adapter, that of `--limit 5` too. Plain options are read
here; the rest, and all that has to be refused, is left to typer, so that its words stay the same.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, get_args, get_origin

import typer.core
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param

_MOST_DIGITS = 9
_UNSURE = object()


def coerce_without_pydantic() -> None:
    """Have typer ask here first."""
    typer.core.build_runtime_param = _Plain.of  # type: ignore[attr-defined]


class _Plain(RuntimeParam):
    @classmethod
    def of(cls, descriptor: TypeDescriptor) -> RuntimeParam:
        """What typer builds for each option, the first time that it is read."""
        if descriptor.file_annotation is not None:
            return build_runtime_param(descriptor)
        return cls(parameter_info=descriptor.parameter_info, annotation=descriptor.annotation)

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        found = self._plain(self.annotation, value)
        if found is not _UNSURE:
            return found
        given = TypeDescriptor(
            annotation=self.annotation, parameter_info=self.parameter_info, file_annotation=None
        )
        return build_runtime_param(given)._coerce_value(value, param=param, ctx=ctx)  # noqa: SLF001

    def _plain(self, kind: Any, value: Any) -> Any:
        if get_origin(kind) is list and isinstance(value, (list, tuple)):
            found = [self._plain(get_args(kind)[0], each) for each in value]
            return _UNSURE if _UNSURE in found else found
        if parse := self.parameter_info.parser:
            try:
                return parse(value)
            except ValueError:
                return _UNSURE
        if kind in (str, bool) and type(value) is kind:
            return value
        if kind is int:
            return self._number(value)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return next((each for each in kind if value in (each, each.value)), _UNSURE)
        return _UNSURE

    def _number(self, value: Any) -> Any:
        info = self.parameter_info
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value) if len(value) <= _MOST_DIGITS else _UNSURE
        if type(value) is not int or info.clamp:
            return _UNSURE
        low = info.min is not None and value < info.min
        high = info.max is not None and value > info.max
        return _UNSURE if low or high else value
