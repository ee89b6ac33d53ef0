"""A browser that may speak, and what is heard of it: all is real but for the loudspeaker."""

from __future__ import annotations

import array
import os
import select
import shutil
import signal
import time
import wave
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.kiosk_ui.screen import CHROMIUM, ROOT, SWITCHES, Served, open_screen

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = ROOT / "config" / "speech-dispatcher"
SPEAK = "--enable-speech-dispatcher"
HEARD_MAX_S = 60.0
LINE_BYTES_MAX = 65_536
# Stands before Debian's espeak-ng: it tells what it was asked for and lets that write a file, one
# for each sentence, since the next one may begin before this one has been listened to.
LOUDSPEAKER = """#!/bin/sh
said=$(cat)
printf %s "$said" | /usr/bin/espeak-ng "$@" -w {folder}/$$.wav
printf '%s\\t%s\\t%s\\n' "$2" $$.wav "$(printf %s "$said" | tr '\\n\\t' '  ')" > {folder}/said
"""
NO_CARD = "pcm.!default { type null }\nctl.!default { type null }\n"


class Sentence(NamedTuple):
    """One sentence: which of espeak-ng's voices spoke it, for how long and how loud at most."""

    voice: str
    text: str
    sound_s: float
    peak: int  # Of 32,767.


class Ear:
    """Hears what the loudspeaker would have said."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pipe = os.open(folder / "said", os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""

    def close(self) -> None:
        """Stop to listen."""
        os.close(self._pipe)

    def forget(self) -> None:
        """Whatever was said before counts no more."""
        self._rest = b""
        while select.select([self._pipe], [], [], 0)[0]:
            os.read(self._pipe, LINE_BYTES_MAX)

    def until(self, words: str) -> Sentence:
        """The first sentence with these words in it. Raises `TimeoutError` with what was said."""
        others = []
        end_s = time.monotonic() + HEARD_MAX_S
        while (left_s := end_s - time.monotonic()) > 0:
            line, newline, rest = self._rest.partition(b"\n")
            if not newline:
                if select.select([self._pipe], [], [], left_s)[0]:
                    self._rest += os.read(self._pipe, LINE_BYTES_MAX)
                continue
            self._rest = rest
            voice, file, text = line.decode().split("\t", 2)
            if words in text:
                return Sentence(voice, text, *self._sound(file))
            others.append(text)
        raise TimeoutError(f"nobody said {words!r}, only {others}")

    def _sound(self, name: str) -> tuple[float, int]:
        with wave.open(str(self._folder / name)) as file:
            samples = array.array("h", file.readframes(file.getnframes()))
            return len(samples) / file.getframerate(), max(samples, default=0)


class Voices(NamedTuple):
    """How Chromium is started so that it may speak, and what hears it."""

    environment: dict[str, str | float | bool]
    ear: Ear


@contextmanager
def voices() -> Iterator[Voices]:
    """The voices of a kiosk during the block, set as angsila-screen.service does."""
    with TemporaryDirectory(prefix="voice-") as name:
        folder = Path(name)
        home, run, programs = (folder / part for part in ("home", "run", "bin"))
        for part in (home, run, programs):
            part.mkdir(mode=0o700)
        shutil.copytree(SETTINGS, home / ".config" / SETTINGS.name)
        (home / ".asoundrc").write_text(NO_CARD)
        espeak = programs / "espeak-ng"
        espeak.write_text(LOUDSPEAKER.format(folder=folder))
        espeak.chmod(0o755)
        os.mkfifo(folder / "said")
        ear = Ear(folder)
        path = f"{programs}:/usr/bin:/bin"
        try:
            yield Voices({"PATH": path, "HOME": str(home), "XDG_RUNTIME_DIR": str(run)}, ear)
        finally:
            for pid in run.glob("speech-dispatcher/pid/*.pid"):
                os.kill(int(pid.read_text()), signal.SIGTERM)
            ear.close()


@contextmanager
def speaking_chromium() -> Iterator[tuple[Browser, Ear]]:
    """Debian's Chromium with the voices of a kiosk during the block."""
    with voices() as found, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*SWITCHES, SPEAK], env=found.environment
        )
        yield browser, found.ear
        browser.close()


def open_speaking(browser: Browser, screen: Served, address: str = "", **context: Any) -> Page:
    """A fresh page, once the browser has told it of the voices: their buttons take room."""
    page = open_screen(browser, screen, address, **context)
    page.wait_for_function("() => speechSynthesis.getVoices().length > 0")
    return page
