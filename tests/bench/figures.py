"""A measured figure, the table a person reads, and the JSON a script reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

NAME_WIDTH = 60


class Beside(NamedTuple):
    """What a figure is to be compared with: a peer, or a limit that nobody can pass."""

    name: str
    value: float


class Figure(NamedTuple):
    """One measured number. `goal` is None where none was set."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"
    beside: tuple[Beside, ...] = ()
    note: str = ""  # What a reader must know to trust the number.

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached, or None where there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal


def say(line: str = "") -> None:
    """Print a line at once: some figures take a minute."""
    print(line, flush=True)  # noqa: T201  A bench prints.


def say_progress(line: str) -> None:
    """Tell what is being measured, where a person watches."""
    if sys.stderr.isatty():
        print(f"... {line}", file=sys.stderr, flush=True)  # noqa: T201  The same.


def show(figure: Figure) -> None:
    """Print a figure and what stands beside it."""
    sign = "<=" if figure.better == "lower" else ">="
    goal = "" if figure.goal is None else f"goal {sign} {_short(figure.goal)}"
    verdict = {None: "", True: "reached", False: "MISSED"}[figure.reached]
    say(f"{figure.name:<{NAME_WIDTH}} {_short(figure.value):>10} {figure.unit:<12}{goal} {verdict}")
    for beside in figure.beside:
        say(f"    {beside.name:<{NAME_WIDTH - 4}} {_short(beside.value):>10}")
    if figure.note:
        say(f"    {figure.note}")


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([_plain(figure) for figure in figures], indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(figure: Figure) -> dict[str, Any]:
    return {**figure._asdict(), "beside": [beside._asdict() for beside in figure.beside]}


def _short(value: float) -> str:
    """Three digits are what a bench on a shared machine knows."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
