"""Everything that may go wrong in a universe, each kind with a switch of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from tests.sim.loop import passed
from tests.sim.machines import Kiosk, Machine

if TYPE_CHECKING:
    from tests.sim.universe import Universe


class Kind(NamedTuple):
    """One kind of fault: what happens, how often on average, and whether it is on."""

    what: str
    strike: Callable[[Universe], Awaitable[None]] | None
    every_s: float
    chance: float = 0.5  # Of a universe to have it at all.
    on: bool = True


async def kiosk_power_cut(universe: Universe) -> None:
    """The power of one of the kiosks goes, and comes back."""
    await power_cut(universe, universe.rng.choice(universe.kiosks), 40)


async def city_power_cut(universe: Universe) -> None:
    """The same at the other end."""
    await power_cut(universe, universe.city, 60)


async def power_cut(universe: Universe, machine: Machine, operations_max: int) -> None:
    """Between two steps, or in the middle of a transaction."""
    if universe.rng.random() < 0.6:
        steps = universe.rng.randrange(1, operations_max)
        machine.disk.cut_at_operation = machine.disk.operations + steps
        await passed(60)
        machine.disk.cut_at_operation = None
    if machine.host.alive:
        machine.power_cut()
    await passed(universe.rng.choice([1.0, 20.0, 300.0]))
    if not machine.host.alive:
        machine.power_on()


async def lying_sync(universe: Universe) -> None:
    """For a minute the card says "written" and does nothing."""
    kiosk = universe.rng.choice(universe.kiosks)
    universe.may_lose = True
    kiosk.disk.lies = 0.7
    await passed(60)
    kiosk.disk.lies = 0.0


async def full_disk(universe: Universe) -> None:
    """No byte more for some minutes."""
    kiosk = universe.rng.choice(universe.kiosks)
    universe.may_lose = True
    kiosk.disk.quota_bytes = kiosk.disk.used_bytes()
    await passed(universe.rng.uniform(60, 1200))
    kiosk.disk.quota_bytes = None


async def sync_error(universe: Universe) -> None:
    """One sync fails, and says so."""
    kiosk = universe.rng.choice(universe.kiosks)
    universe.may_lose = True
    kiosk.disk.sync_errors = 1.0
    kiosk.disk.sync_errors_max = 1


async def dying_card(universe: Universe) -> None:
    """For a minute every third sync fails."""
    kiosk = universe.rng.choice(universe.kiosks)
    universe.may_lose = True
    kiosk.disk.sync_errors, kiosk.disk.sync_errors_max = 0.3, 1000
    await passed(60)
    kiosk.disk.sync_errors = 0.0


async def bit_rot(universe: Universe) -> None:
    """Some bits of the journal flip while the machine is off."""
    kiosk = universe.rng.choice(universe.kiosks)
    if not kiosk.host.alive:
        return
    universe.may_lose = True
    kiosk.power_cut()
    universe.oracle.shake(kiosk, "bits have flipped")
    universe.record("rot", *kiosk.disk.rot(universe.rng.choice([1, 5, 20])))
    kiosk.power_on()


async def partition(universe: Universe) -> None:
    """Nothing comes through for a while; it is resent afterwards."""
    kiosk = universe.rng.choice(universe.kiosks)
    for_s = universe.rng.choice([5.0, 40.0, 300.0, 2500.0])
    universe.network.link(kiosk.name).apart_until_s = universe.loop.time() + for_s
    universe.record("apart", kiosk.name, for_s)
    if universe.rng.random() < 0.5:
        # The kernel says that there is a way out again, perhaps a little too early.
        await passed(for_s * universe.rng.uniform(0.9, 1.1))
        if kiosk.uplink is not None:
            kiosk.uplink.link_came()


async def reset(universe: Universe) -> None:
    """All connections of a kiosk break."""
    universe.network.reset_all(universe.rng.choice(universe.kiosks).name)


async def loss(universe: Universe) -> None:
    """A bad link for some minutes."""
    link = universe.network.link(universe.rng.choice(universe.kiosks).name)
    link.loss, link.latency_s = 0.08, 0.3
    await passed(universe.rng.uniform(60, 900))
    link.loss, link.latency_s = 0.0, 0.02


def to_next_request(what: str) -> Callable[[Universe], Awaitable[None]]:
    """Make a strike that waits for the next request of a kiosk."""

    async def strike(universe: Universe) -> None:
        universe.network.link(universe.rng.choice(universe.kiosks).name).armed = what

    return strike


async def clock_step(universe: Universe) -> None:
    """NTP goes, and somebody sets the wall clock wrong; perhaps NTP comes back."""
    kiosk = universe.rng.choice(universe.kiosks)
    kiosk.ntp_from_s = None
    kiosk.wall_off_ms = universe.rng.choice([-3_600_000, 3_600_000, 75 * 365 * 86_400_000])
    universe.record("step", kiosk.name, kiosk.wall_off_ms)
    if universe.rng.random() < 0.5:
        kiosk.ntp_from_s = universe.loop.time() + universe.rng.uniform(0, 600)


async def city_restore(universe: Universe) -> None:
    """The city goes back to a backup that is up to an hour old."""
    city = universe.city
    if city.archive is None:
        return
    city.back_up()
    await passed(universe.rng.uniform(60, 3600))
    universe.may_lose = True
    city.restore()
    await passed(10)
    if not city.host.alive:
        city.power_on()


async def card_restore(universe: Universe) -> None:
    """A technician writes an image of the card back that is up to an hour old."""
    kiosk = universe.rng.choice(universe.kiosks)
    image = kiosk.disk.snapshot()
    await passed(universe.rng.uniform(60, 3600))
    universe.may_lose = True
    if kiosk.host.alive:
        kiosk.power_cut()
    universe.oracle.shake(kiosk, "the card was restored")
    kiosk.disk.restore(image)
    # What waited on the card that was taken out will not come.
    universe.oracle.waiting.clear()
    universe.record("card restored", kiosk.name)
    await passed(10)
    if not kiosk.host.alive:
        kiosk.power_on()


async def card_clone(universe: Universe) -> None:
    """A second machine starts with a copy of the first one's card."""
    original = universe.kiosks[0]
    if any(kiosk.identity == original.identity for kiosk in universe.kiosks[1:]):
        return  # A third writer may lose entries yet.
    universe.may_lose = True
    original.power_cut()
    twin = Kiosk(universe, f"twin{len(universe.kiosks)}", original.identity)
    twin.key = original.key
    twin.disk.restore(original.disk.snapshot())
    twin.disturbed = original.disturbed
    universe.kiosks.append(twin)
    universe.record("cloned", twin.name)
    original.power_on()
    await passed(universe.rng.uniform(0, 300))
    twin.power_on()


KINDS: dict[str, Kind] = {
    "kiosk_power_cut": Kind("the kiosk's power goes", kiosk_power_cut, 900, chance=0.8),
    "city_power_cut": Kind("the city's power goes", city_power_cut, 1200, chance=0.7),
    "torn_sector": Kind("a power cut tears sectors", None, 0),
    "lying_sync": Kind("a card says written and is not", lying_sync, 3600, chance=0.2),
    "full_disk": Kind("a card is full", full_disk, 2400, chance=0.3),
    "sync_error": Kind("a sync fails", sync_error, 2400, chance=0.3),
    "dying_card": Kind("many syncs fail", dying_card, 3600, chance=0.2),
    "bit_rot": Kind("bits flip on a card", bit_rot, 3600, chance=0.2),
    "partition": Kind("nothing comes through", partition, 900, chance=0.7),
    "reset": Kind("connections break", reset, 600),
    "swallow": Kind("the answer is lost after the commit", to_next_request("swallow"), 300),
    "cut": Kind("a request is cut off in its middle", to_next_request("cut"), 600),
    "half_open": Kind("a connection is silent", to_next_request("half_open"), 900),
    "twice": Kind("a request comes twice", to_next_request("twice"), 400),
    "late": Kind("a request comes after later ones", to_next_request("late"), 600),
    "loss": Kind("packets are lost", loss, 1800),
    "clock_1970": Kind("every boot begins in 1970", None, 0),
    "clock_step": Kind("the wall clock jumps", clock_step, 1200),
    "clock_drift": Kind("the quartz drifts", None, 0),
    "city_restore": Kind("the city is restored from a backup", city_restore, 5000, chance=0.3),
    "card_restore": Kind("a card is restored from an image", card_restore, 5000, chance=0.2),
    "card_clone": Kind("a card is cloned", card_clone, 4000, chance=0.25),
}

# Kinds that a universe does not have together yet: a fork while a journal is being salvaged, or
# while the city has forgotten, may lose or double entries.
APART = {
    "card_clone": (
        "lying_sync",
        "full_disk",
        "sync_error",
        "dying_card",
        "bit_rot",
        "city_restore",
        "card_restore",
    ),
}
