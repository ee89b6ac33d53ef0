"""What the registry refuses, and where it stops growing."""

from __future__ import annotations

import pytest

from sync.city import registry
from sync.city.archive import Archive
from sync.city.registry import RegistryError, TakenError
from sync.identity import Key
from tests.postgres import BOTH

ON = BOTH


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry whose limits are soon reached."""
    for name in ("TOKENS_MAX", "BOOTS_MAX", "ALARMS_MAX"):
        monkeypatch.setattr(registry, name, 3)


@pytest.mark.parametrize("kiosk", ["", "Pier", "-pier", "a" * 41, "pier\n", "พ"])
async def test_a_name_that_is_no_kiosks_is_refused(archive: Archive, kiosk: str) -> None:
    """The token is not burnt for it."""
    secret = await archive.registry.new_token()
    with pytest.raises(RegistryError, match="not a kiosk's id"):
        await archive.registry.enrol(secret, Key().public, kiosk, {})
    await archive.registry.enrol(secret, Key().public, "pier-1", {})


@pytest.mark.usefixtures("small")
async def test_tokens_do_not_pile_up(archive: Archive) -> None:
    """Used ones make room, and so do expired ones."""
    tokens = [await archive.registry.new_token() for _ in range(3)]
    with pytest.raises(RegistryError, match="over 3 tokens"):
        await archive.registry.new_token()
    await archive.registry.enrol(tokens[0], Key().public, "pier-1", {})
    await archive.registry.new_token()


@pytest.mark.usefixtures("small")
async def test_boots_and_alarms_do_not_pile_up(archive: Archive) -> None:
    """A device that makes up boots, or a thief that makes up keys, fills no disk."""
    fleet = archive.registry
    for number in range(9):
        assert await fleet.fresh("d", bytes([number]) * 16, 5)
        await fleet.alarm("pier-1", "something", str(number))
    count = await archive._thread.run(fleet._tables.hello.select().count)
    report = await archive._thread.run(fleet.report, "pier-1")
    assert count <= 4
    assert len(report["alarms"]) == 3
    assert not await fleet.fresh("d", bytes([8]) * 16, 4)


async def test_a_rotation_goes_to_a_new_key(archive: Archive) -> None:
    """Not to one that is another device's, and not to a second one."""
    fleet, keys = archive.registry, [Key().public for _ in range(4)]
    for number in (0, 1):
        secret = await fleet.new_token()
        await fleet.enrol(secret, keys[number], f"pier-{number}", {})
    known = await fleet.known(keys[0].id)
    assert known is not None
    with pytest.raises(TakenError):
        await fleet.rotate(known, keys[1])
    for _ in range(2):
        await fleet.rotate(known, keys[2])
    with pytest.raises(TakenError):
        await fleet.rotate(known, keys[3])
    after = await fleet.known(keys[2].id)
    assert after is not None
    assert (after.device, after.kiosk, after.successor) == (known.device, "pier-0", "")


async def test_nobody_is_revoked_by_accident(archive: Archive) -> None:
    """A name that fits no device that counts is an error."""
    secret = await archive.registry.new_token()
    await archive.registry.enrol(secret, Key().public, "pier-1", {})
    assert [each.kiosk for each in await archive.registry.revoke("pier-1")] == ["pier-1"]
    for name in ("pier-1", "pier", ""):
        with pytest.raises(RegistryError, match="no device or kiosk"):
            await archive.registry.revoke(name)
