"""Carries a core's steps out, one after the other, in the calling thread."""

from __future__ import annotations

from typing import TypeVar

from meshline.core import Pause, Steps, Work
from meshline.errors import MeshlineError
from meshline.transport import Transport

T = TypeVar("T")


def drive(steps: Steps[T], transport: Transport) -> T:
    """The end of the steps. Raises what they raise."""
    try:
        step = next(steps)
        while True:
            try:
                answer: object = None
                if isinstance(step, Pause):
                    transport.pause(step.seconds)
                elif isinstance(step, Work):
                    answer = step.call()
                else:
                    answer = transport.send(step)
            except MeshlineError as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        done: T = end.value
        return done
