"""The drawings of the maps: the schematic coast, or the city's own streets, as SVG groups.

The coast is a schematic: a smooth line past the few points whose place is known, with the sea
to the west. No street is drawn but the coast road, which is known to lead from Ang Sila past
Khao Sam Muk to Bang Saen; where exactly it runs is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.map_city import KINDS
from kiosk_ui.map_frame import curve, line

if TYPE_CHECKING:
    from kiosk_ui.map_city import CityMap
    from kiosk_ui.map_frame import Degrees, Frame, Point

# The water's edge from north-east to south, drawn a little to the sea of the places that are
# known to lie at it; the ends run on far outside the plan.
COAST: tuple[Degrees, ...] = (
    (13.470, 101.020),
    (13.415, 100.999),
    (13.378, 100.9745),
    (13.362, 100.9575),
    (13.3500, 100.9440),
    (13.3448, 100.9330),
    (13.3425, 100.9262),
    (13.3395, 100.9230),
    (13.3340, 100.9212),
    (13.3280, 100.9200),
    (13.3205, 100.9165),
    (13.3160, 100.9085),
    (13.3125, 100.9022),
    (13.3070, 100.8998),
    (13.3010, 100.8992),
    (13.2965, 100.9043),
    (13.2915, 100.9072),
    (13.2800, 100.9135),
    (13.2680, 100.9213),
    (13.2450, 100.9320),
    (13.1800, 100.9400),
)
INLAND: tuple[Degrees, ...] = ((13.180, 101.150), (13.470, 101.150))
BEACH = (14, 19)  # From Laem Thaen to Wonnapha: the piece of COAST that is sand.
ROAD: tuple[Degrees, ...] = (
    (13.3408, 100.9262),
    (13.3345, 100.9236),
    (13.3280, 100.9226),
    (13.3205, 100.9195),
    (13.3150, 100.9110),
    (13.3085, 100.9085),
    (13.3015, 100.9035),
    (13.2965, 100.9065),
    (13.2915, 100.9092),
)
PIER: Degrees = (13.341, 100.925)
PIER_END: Degrees = (13.3425, 100.9195)  # Out to sea; its true length and bearing are unknown.
HILL: Degrees = (13.3085, 100.9048)
SHRINE: Degrees = (13.3283, 100.9245)
MANGROVES: tuple[Degrees, ...] = (
    (13.3462, 100.9395),
    (13.3475, 100.9422),
    (13.3452, 100.9432),
    (13.3490, 100.9455),
    (13.3465, 100.9466),
)
ROCKS: tuple[Degrees, ...] = (
    (13.3375, 100.9216),
    (13.3350, 100.9208),
    (13.3312, 100.9201),
    (13.3035, 100.8984),
    (13.3005, 100.8985),
    (13.2990, 100.9010),
)
BOATS: tuple[Degrees, ...] = ((13.3470, 100.9190), (13.3330, 100.9090), (13.2850, 100.8960))
WAVES: tuple[Degrees, ...] = (
    (13.3580, 100.9300),
    (13.3660, 100.9150),
    (13.3430, 100.9020),
    (13.3250, 100.9000),
    (13.3180, 100.8830),
    (13.2980, 100.8850),
    (13.2720, 100.9060),
    (13.2620, 100.8850),
)
# The old market is a row of wooden shophouses; where each stands is not known.
SHOPHOUSES: tuple[Degrees, ...] = tuple(
    (13.3418 - 0.00024 * n, 100.92745 - 0.00017 * n) for n in range(6)
)
FAR_M = 30_000  # The sea reaches at least so far round every plan.


def schematic(frame: Frame, unit: float) -> str:
    """The coast and what stands at it. `unit` is the size of a small thing, in metres."""
    coast = frame.points(COAST)
    shore = curve(coast)
    land = f"{shore}L{line(frame.points(INLAND), closed=True)[1:]}"
    sand = curve(coast[slice(*BEACH)])
    return (
        f'<path class="m-sea" d="M{-FAR_M} {-FAR_M}H{FAR_M}V{FAR_M}H{-FAR_M}Z"/>'
        + "".join(
            f'<path class="m-shoal" stroke-width="{unit * wide:.0f}" d="{shore}"/>'
            for wide in (26, 15, 7)
        )
        + f'<path class="m-land" d="{land}"/>'
        + f'<path class="m-edge" d="{shore}"/>'
        + f'<path class="m-sand" stroke-width="{unit * 1.6:.0f}" d="{sand}"/>'
        + f'<path class="m-road" d="{curve(frame.points(ROAD))}"/>'
        + _hill(frame.point(*HILL), unit)
        + _pier(frame.point(*PIER), frame.point(*PIER_END), unit)
        + _symbol("shrine", frame.point(*SHRINE), unit * 4)
        + "".join(_symbol("mangrove", at, unit * 3) for at in frame.points(MANGROVES))
        + "".join(_rock(at, unit) for at in frame.points(ROCKS))
        + "".join(_house(at, unit) for at in frame.points(SHOPHOUSES))
        + "".join(_boat(at, unit) for at in frame.points(BOATS))
        + "".join(_wave(at, unit * 1.6) for at in frame.points(WAVES))
    )


def city(found: CityMap, frame: Frame) -> str:
    """The city's own map: water, buildings, streets, each kind as one path."""
    drawn = f'<path class="m-land" d="M{-FAR_M} {-FAR_M}H{FAR_M}V{FAR_M}H{-FAR_M}Z"/>'
    for kind in KINDS:
        closed = kind != "street"
        path = "".join(line(frame.points(each), closed=closed) for each in found.lines[kind])
        if path:
            drawn += f'<path class="m-{kind}" d="{path}"/>'
    return drawn


def _symbol(name: str, at: Point, across: float) -> str:
    """A drawing of the sprite, standing upright however the plan is turned."""
    x, y = at[0] - across / 2, at[1] - across / 2
    return (
        f'<use href="#{name}" class="m-drawing" x="{x:.0f}" y="{y:.0f}" '
        f'width="{across:.0f}" height="{across:.0f}"/>'
    )


def _hill(at: Point, unit: float) -> str:
    """Khao Sam Muk: a wooded mound with one of its macaques."""
    x, y, u = at[0], at[1], unit
    mound = (
        f"M{x - 7 * u:.0f} {y + 3 * u:.0f}"
        f"C{x - 5 * u:.0f} {y - u:.0f} {x - 3.5 * u:.0f} {y - 4.5 * u:.0f} "
        f"{x - u:.0f} {y - 4.5 * u:.0f}"
        f"S{x + 2 * u:.0f} {y - 2 * u:.0f} {x + 3 * u:.0f} {y - 2 * u:.0f}"
        f"S{x + 6 * u:.0f} {y:.0f} {x + 7 * u:.0f} {y + 3 * u:.0f}"
        f"Q{x:.0f} {y + 4.5 * u:.0f} {x - 7 * u:.0f} {y + 3 * u:.0f}Z"
    )
    ridge = (
        f"M{x - 4.5 * u:.0f} {y + 1.5 * u:.0f}q{1.2 * u:.0f} {-2 * u:.0f} {2.4 * u:.0f} 0"
        f"M{x + 2 * u:.0f} {y + 1.5 * u:.0f}q{1.2 * u:.0f} {-2 * u:.0f} {2.4 * u:.0f} 0"
        f"M{x - 1.5 * u:.0f} {y - 2 * u:.0f}q{u:.0f} {-1.6 * u:.0f} {2 * u:.0f} 0"
    )
    monkey = _symbol("monkey", (x, y + u), unit * 3.2)
    return f'<path class="m-hill" d="{mound}"/><path class="m-wood" d="{ridge}"/>{monkey}'


def _pier(root: Point, end: Point, unit: float) -> str:
    """A deck on stilts with two of the market's roofs at its head."""
    dx, dy = end[0] - root[0], end[1] - root[1]
    length = (dx * dx + dy * dy) ** 0.5
    reach = min(1.0, 9 * unit / length)  # As long as it is on the area plan, at most.
    tip = root[0] + dx * reach, root[1] + dy * reach
    deck = f'<path class="m-deck" stroke-width="{unit * 0.9:.0f}" d="{line([root, tip])}"/>'
    ribs = f'<path class="m-ribs" stroke-width="{unit * 1.5:.0f}" d="{line([root, tip])}"/>'
    return ribs + deck + _symbol("pier", tip, unit * 5)


def _rock(at: Point, unit: float) -> str:
    """The granite that the town has its name and its mortars from."""
    x, y, u = at[0], at[1], unit
    large = (
        f"M{x - u:.0f} {y:.0f}q{0.2 * u:.0f} {-u:.0f} {u:.0f} {-0.9 * u:.0f}"
        f"t{0.9 * u:.0f} {0.9 * u:.0f}q{-0.9 * u:.0f} {0.5 * u:.0f} {-1.9 * u:.0f} 0Z"
    )
    small = (
        f"M{x + 0.8 * u:.0f} {y + 0.6 * u:.0f}q{0.1 * u:.0f} {-0.6 * u:.0f} {0.6 * u:.0f} "
        f"{-0.6 * u:.0f}t{0.5 * u:.0f} {0.6 * u:.0f}Z"
    )
    return f'<path class="m-rock" d="{large}{small}"/>'


def _boat(at: Point, unit: float) -> str:
    """A long-tailed boat, and the water it lies in."""
    x, y, u = at[0], at[1], unit
    hull = (
        f"M{x - 2 * u:.0f} {y:.0f}q{2 * u:.0f} {1.4 * u:.0f} {4 * u:.0f} {-0.4 * u:.0f}"
        f"l{-0.5 * u:.0f} {1.3 * u:.0f}q{-1.5 * u:.0f} {0.7 * u:.0f} {-3 * u:.0f} 0Z"
    )
    return f'<path class="m-boat" d="{hull}"/>{_wave((x, y + 2 * u), u)}'


def _wave(at: Point, unit: float) -> str:
    """A few ripples."""
    x, y, u = at[0], at[1], unit
    ripples = (
        f"M{x - 3 * u:.0f} {y:.0f}q{0.75 * u:.0f} {-0.7 * u:.0f} {1.5 * u:.0f} 0"
        f"t{1.5 * u:.0f} 0 {1.5 * u:.0f} 0 {1.5 * u:.0f} 0"
    )
    return f'<path class="m-wave" d="{ripples}"/>'


def _house(at: Point, unit: float) -> str:
    """One wooden house with its roof."""
    x, y, u = at[0], at[1], unit * 0.55
    roof = f"M{x - 1.1 * u:.0f} {y:.0f}l{1.1 * u:.0f} {-0.9 * u:.0f} {1.1 * u:.0f} {0.9 * u:.0f}Z"
    wall = f"M{x - 0.8 * u:.0f} {y:.0f}h{1.6 * u:.0f}v{1.1 * u:.0f}h{-1.6 * u:.0f}Z"
    return f'<path class="m-wall" d="{wall}"/><path class="m-roof" d="{roof}"/>'
