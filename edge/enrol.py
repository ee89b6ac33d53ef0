"""The commands that make kiosk and city known to each other: tokens, enrolment, keys."""

from pathlib import Path

from aiohttp import ClientError

from edge.claim import writable_folder
from edge.errors import EnrolError, StateError
from edge.health import versions
from sync import enrolment
from sync.city.archive import FILE, Archive, ArchiveError
from sync.city.registry import TOKEN_MS, RegistryError
from sync.city.service import agreed_key
from sync.entry import SyncError
from sync.identity import (
    CITY_KEY,
    DEVICE_KEY,
    Enrolment,
    Identity,
    IdentityError,
    read_or_make_key,
    write_token,
)

# What tells one board from another, where the kernel knows it.
HARDWARE = {
    "model": Path("/proc/device-tree/model"),
    "serial": Path("/proc/device-tree/serial-number"),
    "product": Path("/sys/class/dmi/id/product_name"),
    "ethernet": Path("/sys/class/net/eth0/address"),
    "wifi": Path("/sys/class/net/wlan0/address"),
}
HARDWARE_MAX = 100  # Characters of each.
TOKEN_MINUTES = TOKEN_MS // 60_000


async def new_token(state: Path, site: str, database: str = "") -> str:
    """Make a token at the city whose state is in `state`, running or not. Raises `EdgeError`."""
    try:
        archive = await Archive.open(writable_folder(state), database)
        try:
            key = await agreed_key(archive)
            return write_token(await archive.registry.new_token(site), key.public)
        finally:
            await archive.close()
    except (ArchiveError, IdentityError, RegistryError) as error:
        raise EnrolError(str(error)) from None


async def revoke(state: Path, name: str, database: str = "") -> list[str]:
    """Revoke a device, or a kiosk's; one line for each. Raises `EdgeError`."""
    if not database:
        _must_have(state, FILE, "there is no archive")
    try:
        archive = await Archive.open(state, database)
        try:
            gone = await archive.registry.revoke(name)
        finally:
            await archive.close()
    except (ArchiveError, RegistryError) as error:
        raise EnrolError(str(error)) from None
    return [f"device {each.device} of {each.kiosk} is revoked" for each in gone]


async def enrol(
    state: Path, city_url: str, token: str, kiosk: str, *, new_key: bool = False
) -> Enrolment:
    """Enrol the kiosk whose state is in `state`. Raises `EdgeError`."""
    identity = Identity(writable_folder(state))
    try:
        if new_key:
            identity.forget_key()
        return await enrolment.enrol(
            identity,
            city_url,
            token,
            kiosk,
            software=f"angsila {versions()['angsila']}",
            hardware=hardware(),
        )
    except (SyncError, ClientError, TimeoutError) as error:
        raise EnrolError(f"not enrolled: {str(error) or 'the city does not answer'}") from None
    except OSError as error:
        raise StateError(f"state folder {state}: {error.strerror}") from None


async def rotate(state: Path) -> Enrolment:
    """Give the kiosk a new key. Raises `EdgeError`."""
    _must_have(state, DEVICE_KEY, "the key stays: this kiosk is not enrolled, there is no key")
    try:
        return await enrolment.rotate(Identity(writable_folder(state)))
    except (SyncError, ClientError, TimeoutError) as error:
        raise EnrolError(f"the key stays: {str(error) or 'the city does not answer'}") from None


def _must_have(state: Path, name: str, what: str) -> None:
    """See that a state folder was not mistyped, which would be made. Raises `EnrolError`."""
    if not (state / name).is_file():
        raise EnrolError(f"{what} in {state}")


async def knows(city: Path, kiosk: Path) -> bool:
    """Whether the city in one folder knows the kiosk in the other. Raises `EdgeError`."""
    try:
        key = read_or_make_key(writable_folder(city) / CITY_KEY)
        found = Identity(kiosk).enrolment()
        if found is None or key.id not in {trusted.id for trusted in found.city_keys}:
            return False
        archive = await Archive.open(city)
        try:
            return await archive.registry.known(found.key.id) is not None
        finally:
            await archive.close()
    except (ArchiveError, IdentityError) as error:
        raise EnrolError(str(error)) from None


def hardware() -> dict[str, str]:
    """What this board calls itself."""
    found = {}
    for name, path in HARDWARE.items():
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found[name] = text.strip("\0\n ")[:HARDWARE_MAX]
    return found
