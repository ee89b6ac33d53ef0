"""Whom the city knows: tokens, devices and their keys, and what was tried with them.

A token is burnt, the device that used it is entered and its kiosk is named in one transaction.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sync.city.store import Store
from sync.entry import SyncError
from sync.identity import TOKEN_BYTES, PublicKey
from sync.orm import (
    BigAutoField,
    BigIntegerField,
    BlobField,
    CompositeKey,
    Database,
    IntegerField,
    Model,
    TextField,
)

TOKEN_MS = 15 * 60 * 1000
TOKENS_MAX = 1000  # Open at the same time.
SITE_MAX = 80
BOOTS_MAX = 10_000  # Of one device: a power cut every hour for a year.
ALARMS_MAX = 100  # Of one kiosk.
HARDWARE_MAX = 16
# What a change of tokens, devices and keys has to itself; beside it hellos, by device.
REGISTRY = "registry/"
_HELLO = "hello/"
KIOSK = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # As in a kiosk's settings.


class RegistryError(SyncError):
    """The registry does not do what was asked of it."""


class TokenError(RegistryError):
    """This token opens nothing, or not any more."""


class TakenError(RegistryError):
    """Somebody else is there already: another key has this token, kiosk or place."""


class Known(NamedTuple):
    """A key that the city has seen enrolled."""

    public: PublicKey
    device: str
    kiosk: str
    revoked: bool
    successor: str  # The id of the key that has replaced it; empty while it is in use.


class Enrolled(NamedTuple):
    """What a device is told about itself."""

    device: str
    kiosk: str
    site: str


class Registry:
    """The registry, in the archive's store."""

    def __init__(
        self,
        store: Store,
        wall_ms: Callable[[], int],
        note_kiosk: Callable[[str], None],
    ) -> None:
        self._store = store
        self._thread = store.thread
        self._wall_ms = wall_ms
        self._note_kiosk = note_kiosk
        self._tables = _Tables(store.database)

    def tables(self) -> list[type[Model]]:
        """Every table."""
        return self._tables.all()

    # --- tokens and enrolment ------------------------------------------------------------------

    async def new_token(self, site: str = "") -> bytes:
        """A secret that enrols one device within TOKEN_MS. Raises `RegistryError`."""
        if len(site) > SITE_MAX or not site.isprintable():
            raise RegistryError(f"not a site: {site[:SITE_MAX]!r}")
        secret = secrets.token_bytes(TOKEN_BYTES)
        await self._thread.run(self._new_token, _digest(secret), site)
        return secret

    def _new_token(self, digest: bytes, site: str) -> None:
        table, now_ms = self._tables.token, self._wall_ms()
        with self._store.turn(REGISTRY):
            table.delete().where(table.key.is_null() & (table.expires_ms < now_ms)).execute()
            if table.select().where(table.key.is_null()).count() >= TOKENS_MAX:
                raise RegistryError(f"over {TOKENS_MAX} tokens are waiting to be used")
            table.create(digest=digest, site=site, expires_ms=now_ms + TOKEN_MS)

    async def enrol(
        self, secret: bytes, public: PublicKey, kiosk: str, hardware: Mapping[str, str]
    ) -> Enrolled:
        """Burn a token for a device; the same again for the same key.

        Raises `TokenError`, `TakenError`.
        """
        if not KIOSK.fullmatch(kiosk):
            raise RegistryError(f"not a kiosk's id: {kiosk[:80]!r}")
        if len(hardware) > HARDWARE_MAX or any(len(text) > 200 for text in hardware.values()):
            raise RegistryError("too much said about the hardware")
        ids = json.dumps(dict(hardware), sort_keys=True)
        found = await self._thread.run(self._enrol, _digest(secret), public, kiosk, ids)
        if isinstance(found, TakenError):
            raise found
        return found

    def _enrol(
        self, digest: bytes, public: PublicKey, kiosk: str, hardware: str
    ) -> Enrolled | TakenError:
        """Refusals that the operator must see are written down, so they are no exception here."""
        tables, now_ms = self._tables, self._wall_ms()
        with self._store.turn(REGISTRY, kiosk):
            token = tables.token.get_or_none(tables.token.digest == digest)
            if token is None:
                raise TokenError("not a token of this city, or one that was never used in time")
            if token.key is not None:
                return self._again(token, public)
            if token.expires_ms < now_ms:
                raise TokenError("the token has expired: ask for a new one")
            if tables.key.get_or_none(tables.key.id == public.id) is not None:
                return self._known_again(token, public, kiosk)
            other = self._in_use(kiosk)
            if other is not None:
                self._alarm(kiosk, "another device asked to be this kiosk", public.id)
                return TakenError(
                    f"{kiosk} is device {other.id} already: give this one another [kiosk] id, "
                    f"or revoke that one first"
                )
            self._note_kiosk(kiosk)
            tables.device.create(
                id=public.id, kiosk=kiosk, site=token.site, hardware=hardware, enrolled_ms=now_ms
            )
            tables.key.create(
                id=public.id, device=public.id, public_key=public.raw, since_ms=now_ms
            )
            self._burn(token, public.id)
            return Enrolled(public.id, kiosk, token.site)

    def _again(self, token: Any, public: PublicKey) -> Enrolled | TakenError:
        """A token that was used: the reply may have been lost, or somebody else has it."""
        tables = self._tables
        key = tables.key.get_by_id(token.key)
        device = tables.device.get_by_id(key.device)
        if token.key != public.id:
            self._alarm(device.kiosk, "its token was used again with another key", public.id)
            return TakenError("the token was used by another device; the city's operator sees this")
        if device.revoked_ms is not None:
            raise TokenError(f"key {public.id} is revoked: enrol with a new one")
        return Enrolled(device.id, device.kiosk, device.site)

    def _known_again(self, token: Any, public: PublicKey, kiosk: str) -> Enrolled | TakenError:
        """A device that is enrolled already gets a new token: it may have a new place."""
        tables = self._tables
        key = tables.key.get_by_id(public.id)
        device = tables.device.get_by_id(key.device)
        if device.revoked_ms is not None or key.successor:
            raise TokenError(f"key {public.id} is revoked or replaced: enrol with a new one")
        if device.kiosk != kiosk:
            return TakenError(f"key {public.id} is {device.kiosk}, not {kiosk}: make a new key")
        device.site = token.site or device.site
        device.save()
        self._burn(token, public.id)
        return Enrolled(device.id, device.kiosk, device.site)

    def _burn(self, token: Any, key: str) -> None:
        table = self._tables.token
        table.update(key=key).where(table.digest == token.digest).execute()

    def _in_use(self, kiosk: str) -> Any:
        table = self._tables.device
        return table.get_or_none((table.kiosk == kiosk) & table.revoked_ms.is_null())

    # --- keys ----------------------------------------------------------------------------------

    async def known(self, key: str) -> Known | None:
        """Whose key this is, if anybody's."""
        return await self._thread.run(self._known, key)

    def _known(self, key: str) -> Known | None:
        tables = self._tables
        row = tables.key.get_or_none(tables.key.id == key)
        if row is None:
            return None
        device = tables.device.get_by_id(row.device)
        return Known(
            PublicKey(bytes(row.public_key)),
            device.id,
            device.kiosk,
            device.revoked_ms is not None,
            row.successor or "",
        )

    async def rotate(self, old: Known, new: PublicKey) -> None:
        """Put a device's new key in place of its old one; the same again changes nothing.

        Raises `TakenError`.
        """
        await self._thread.run(self._rotate, old, new)

    def _rotate(self, old: Known, new: PublicKey) -> None:
        tables = self._tables
        with self._store.turn(REGISTRY):
            row = tables.key.get_by_id(old.public.id)
            if row.successor == new.id:
                return
            if row.successor or tables.key.get_or_none(tables.key.id == new.id) is not None:
                raise TakenError(f"key {old.public.id} or {new.id} has been used for this already")
            tables.key.create(
                id=new.id, device=row.device, public_key=new.raw, since_ms=self._wall_ms()
            )
            row.successor = new.id
            row.save()

    async def revoke(self, name: str) -> list[Enrolled]:
        """Believe a device no more, named by its id or by its kiosk's. Raises `RegistryError`."""
        return await self._thread.run(self._revoke, name)

    def _revoke(self, name: str) -> list[Enrolled]:
        table = self._tables.device
        with self._store.turn(REGISTRY):
            wanted = ((table.id == name) | (table.kiosk == name)) & table.revoked_ms.is_null()
            found = list(table.select().where(wanted))
            if not found:
                raise RegistryError(f"no device or kiosk {name!r} that could be revoked")
            for device in found:
                device.revoked_ms = self._wall_ms()
                device.save()
        return [Enrolled(device.id, device.kiosk, device.site) for device in found]

    async def fresh(self, device: str, boot: bytes, boottime_ms: int) -> bool:
        """Whether a hello is no copy of an old one; if so, it is noted.

        Time goes on within a boot, and a boot does not come back: that needs no clock, and no
        nonce that the city would have to remember.
        """
        return await self._thread.run(self._fresh, device, boot.hex(), boottime_ms)

    def _fresh(self, device: str, boot: str, boottime_ms: int) -> bool:
        table = self._tables.hello
        with self._store.turn(_HELLO + device):
            newest = table.select().where(table.device == device).order_by(table.id.desc())
            row = table.get_or_none((table.device == device) & (table.boot == boot))
            if row is None:
                made = table.create(device=device, boot=boot, boottime_ms=boottime_ms)
                old = newest.offset(BOOTS_MAX).first()
                if old is not None and old.id != made.id:
                    table.delete().where((table.device == device) & (table.id <= old.id)).execute()
                return True
            last = newest.first()
            if boottime_ms < row.boottime_ms or (
                boottime_ms == row.boottime_ms and row.id != last.id
            ):
                return False
            row.boottime_ms = boottime_ms
            row.save()
        return True

    # --- what the operator reads ---------------------------------------------------------------

    async def alarm(self, kiosk: str, what: str, key: str) -> None:
        """Write down what the operator should see."""
        await self._thread.run(self._note_alarm, kiosk, what, key)

    def _note_alarm(self, kiosk: str, what: str, key: str) -> None:
        with self._store.turn(REGISTRY):
            self._alarm(kiosk, what, key)

    def _alarm(self, kiosk: str, what: str, key: str) -> None:
        table, now_ms = self._tables.alarm, self._wall_ms()
        same = (table.kiosk == kiosk) & (table.what == what) & (table.key == key)
        if table.update(times=table.times + 1, last_ms=now_ms).where(same).execute():
            return
        if table.select().where(table.kiosk == kiosk).count() < ALARMS_MAX:
            table.create(kiosk=kiosk, what=what, key=key, times=1, last_ms=now_ms)

    def report(self, kiosk: str) -> dict[str, Any]:
        """A kiosk's devices, the newest first, and its alarms. On a thread of the archive."""
        devices, alarms = self._tables.device, self._tables.alarm
        found = devices.select().where(devices.kiosk == kiosk)
        raised = alarms.select().where(alarms.kiosk == kiosk).order_by(alarms.last_ms.desc())
        return {
            "devices": [
                {
                    "device": row.id,
                    "site": row.site,
                    "hardware": json.loads(row.hardware),
                    "enrolled_utc_ms": row.enrolled_ms,
                    "revoked_utc_ms": row.revoked_ms,
                }
                for row in found.order_by(devices.enrolled_ms.desc())
            ],
            "alarms": [
                {"what": row.what, "key": row.key, "times": row.times, "last_utc_ms": row.last_ms}
                for row in raised
            ],
        }


class _Tables:
    """The registry's tables, bound to the archive's connection."""

    def __init__(self, database: Database) -> None:
        class Token(Model):
            digest = BlobField(primary_key=True)  # Who reads the file cannot enrol with it.
            site = TextField()
            expires_ms = BigIntegerField()
            key = TextField(null=True)  # The key that has burnt it.

        class Device(Model):
            id = TextField(primary_key=True)  # Of its first key.
            kiosk = TextField(index=True)
            site = TextField()
            hardware = TextField()  # JSON.
            enrolled_ms = BigIntegerField()
            revoked_ms = BigIntegerField(null=True)

        class KeyRow(Model):
            id = TextField(primary_key=True)
            device = TextField()
            public_key = BlobField()
            since_ms = BigIntegerField()
            successor = TextField(null=True)

            class Meta:
                table_name = "key"

        class Hello(Model):
            id = BigAutoField()
            device = TextField()
            boot = TextField()
            boottime_ms = BigIntegerField()  # Of the newest one in this boot.

            class Meta:
                indexes = ((("device", "boot"), True),)

        class Alarm(Model):
            kiosk = TextField()
            what = TextField()
            key = TextField()
            times = IntegerField()
            last_ms = BigIntegerField()

            class Meta:
                primary_key = CompositeKey("kiosk", "what", "key")

        self.token = Token
        self.device = Device
        self.key = KeyRow
        self.hello = Hello
        self.alarm = Alarm
        database.bind(self.all(), bind_refs=False, bind_backrefs=False)

    def all(self) -> list[type[Model]]:
        """Every table."""
        return [self.token, self.device, self.key, self.hello, self.alarm]


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(b"angsila token " + secret).digest()
