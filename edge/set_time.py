"""Tells a running kiosk the time, for where there is neither NTP nor a city."""

from datetime import datetime
from pathlib import Path

from aiohttp import ClientConnectorError

from edge.errors import EdgeError, SettingsError
from sync import local

ERROR_S_MAX = 86400.0


async def set_time(folder: Path, when: str, error_s: float) -> None:
    """Hand `when` (ISO 8601 with its zone) to the kiosk on `folder`.

    Raises `SettingsError` where it is no such time, `EdgeError` where it is not taken.
    """
    utc_ms = read_time(when)
    if not 0 <= error_s <= ERROR_S_MAX:  # False for NaN as well.
        raise SettingsError(f"--error-s {error_s:g} is not from 0 to {ERROR_S_MAX:g}")
    try:
        async with (
            local.connect(folder) as session,
            session.post(
                "/time", json={"utc_ms": utc_ms, "error_ms": round(error_s * 1000)}
            ) as response,
        ):
            if response.status != 204:
                raise EdgeError(f"{when}: {(await response.text()).strip()}")
    except ClientConnectorError:
        raise EdgeError(f"no kiosk runs on {folder}") from None
    except OSError as error:
        raise EdgeError(f"state folder {folder}: {error.strerror}") from None


def read_time(text: str) -> int:
    """Unix time in ms of an ISO 8601 text with its zone. Raises `SettingsError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"not a time like 2026-11-25T17:00+07:00: {text!r}") from None
    if moment.tzinfo is None:
        raise SettingsError(f"a time without its zone: {text!r}; add +07:00 or Z")
    return round(moment.timestamp() * 1000)
