"""All modules of the page in one script: one request instead of two dozen, and less to send.

The sources stay plain ES modules, each with a scope of its own. What is joined here has to be
simple, and `join` refuses what is not: no module imports one that imports it, an import names
what it takes, and only functions and constants are exported.

    import { say } from "./b.js";        const $a=(()=>{const{say}=$b;
    export const call = () => say();     const call=()=>say();
                                         return{call}})();
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import rjsmin  # type: ignore[import-untyped] # it brings no types

if TYPE_CHECKING:
    from collections.abc import Callable

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([a-z_]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:const|(?:async )?function) (\w+))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
# A template in a template: what takes out spaces would take them out of its text, too.
_NESTED = re.compile(r"`[^`]*\$\{[^}`]*`")


def join(entry: str, read: Callable[[str], str]) -> str:
    """The script that runs module `entry` with all it imports, and exports each as an object.

    `read` gives a module's source by its name. Raises `ValueError`.
    """
    order: dict[str, str] = {}  # Name -> joined text, in the order of evaluation.
    _add(entry, read, order, ())
    last = order.pop(entry)
    names = ",".join(f"${name} as {name}" for name in order)
    joined: str = rjsmin.jsmin(f"{''.join(order.values())}{last}export{{{names}}};\n")
    return joined


def _add(name: str, read: Callable[[str], str], order: dict[str, str], by: tuple[str, ...]) -> None:
    """Put a module behind all that it imports."""
    if name in by:
        raise ValueError(f"{name}.js imports itself, through {' and '.join(by)}")
    if name in order:
        return
    text = read(name)
    for _, other in _IMPORT.findall(text):
        _add(other, read, order, (*by, name))
    exported = [found[1] for found in _EXPORT.findall(text)]
    body = _EXPORT.sub(r"\1", _IMPORT.sub(_taken, text))
    if bad := _LEFT.search(body) or _NESTED.search(body):
        raise ValueError(f"{name}.js has what cannot be joined: {bad[0]!r}")
    if by:
        order[name] = f"const ${name}=(()=>{{{body}return{{{','.join(exported)}}};}})();\n"
    else:  # The first one waits for what it loads, which no function's body can.
        order[name] = f"{{{body}}}\n"


def _taken(match: re.Match[str]) -> str:
    """An import as what it comes to."""
    if match[1] is None:
        return ""
    return f"const {{{match[1].replace(' as ', ': ')}}} = ${match[2]};\n"
