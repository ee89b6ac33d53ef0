"""Drives ThingsBoard gateway's own storage classes; runs on the Python of a venv that has them.

    peer_thingsboard.py put KIND SETTINGS FOLDER RATE     puts for ever, says how many were taken
    peer_thingsboard.py read KIND SETTINGS FOLDER         reads until there is no more; counts
    peer_thingsboard.py backlog KIND SETTINGS FOLDER N    puts N, then reads like a gateway online
    peer_thingsboard.py beats KIND SETTINGS FOLDER        takes messages from stdin, beat by beat

SETTINGS is `shipped`, from its tb_gateway.json, or `class`, what the classes say by themselves.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

CLASSES = {
    "memory": ("thingsboard_gateway.storage.memory.memory_event_storage", "MemoryEventStorage"),
    "file": ("thingsboard_gateway.storage.file.file_event_storage", "FileEventStorage"),
    "sqlite": ("thingsboard_gateway.storage.sqlite.sqlite_event_storage", "SQLiteEventStorage"),
}
EMPTY_MAX = 10  # Packs without anything, 0.1 s apart: then there is nothing more to come.
LOOK_S = 0.1
TELL_EVERY = 10


def storage(kind: str, settings: str, folder: Path) -> Any:
    """One of its storages, made as its gateway makes it."""
    package = import_module("thingsboard_gateway")
    # The storages log with a level of their own, which this class brings along.
    log = import_module("thingsboard_gateway.tb_utility.tb_logger").TbLogger("storage")
    log.setLevel(100)
    config: dict[str, Any] = {}
    if settings == "shipped":
        path = Path(str(package.__file__)).parent / "config" / "tb_gateway.json"
        config = json.loads(path.read_text(encoding="utf-8"))["storage"]
    folder.mkdir(parents=True, exist_ok=True)
    config |= {"type": kind, "data_folder_path": f"{folder}/", "data_file_path": f"{folder}/"}
    module, name = CLASSES[kind]
    return getattr(import_module(module), name)(config, log, threading.Event())


def message(number: int) -> str:
    """One reading, as its gateway hands it to its storage."""
    telemetry = [{"ts": number, "values": {"water_level": 2.417}}]
    whole = {"deviceName": "pier", "deviceType": "default", "telemetry": telemetry}
    return json.dumps(whole, separators=(",", ":"))


def put(store: Any, rate: float) -> None:
    """Put readings at a pace, for ever; say now and then how many it has taken."""
    started = time.monotonic()
    number = taken = 0
    while True:
        number += 1
        taken += bool(store.put(message(number)))
        if taken % TELL_EVERY == 0:
            print(taken, flush=True)  # noqa: T201  To the bench.
        time.sleep(max(0.0, started + number / rate - time.monotonic()))


def read(store: Any) -> int:
    """Take packs out as its gateway does while it is online; how many different readings."""
    found: set[int] = set()
    empty = 0
    while empty < EMPTY_MAX:
        pack = store.get_event_pack()
        if not pack:
            empty += 1
            time.sleep(LOOK_S)
            continue
        empty = 0
        found.update(json.loads(each)["telemetry"][0]["ts"] for each in pack)
        store.event_pack_processing_done()
    return len(found)


def backlog(store: Any, readings: int, folder: Path) -> dict[str, float]:
    """Put readings while nobody takes any, then take them; also what they are on the disk."""
    taken = sum(bool(store.put(message(number + 1))) for number in range(readings))
    settle(store)
    kept_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"taken": taken, "kept_bytes": kept_bytes, "delivered": read(store)}


def settle(store: Any) -> None:
    """Wait until a storage that writes on a thread of its own has written."""
    queue = getattr(store, "write_queue", None)
    while queue is not None and queue.qsize():
        time.sleep(LOOK_S / 10)
    if queue is not None:
        time.sleep(LOOK_S * 3)  # It collects for 0.1 s before it commits, and tells nobody.


def beats(store: Any) -> None:
    """Store what came at one beat, then deliver it, as an online gateway does all day."""
    print("ready", flush=True)  # noqa: T201  To the bench.
    for line in sys.stdin:
        for each in json.loads(line):
            store.put(json.dumps(each, separators=(",", ":")))
        settle(store)
        while store.get_event_pack():
            store.event_pack_processing_done()
    print("done", flush=True)  # noqa: T201  To the bench.


def main() -> None:
    """Do what the command line says, then end without asking its threads."""
    part, kind, settings, folder = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    store = storage(kind, settings, folder)
    if part == "put":
        put(store, float(sys.argv[5]))
    elif part == "read":
        print(read(store), flush=True)  # noqa: T201  To the bench.
    elif part == "backlog":
        print(json.dumps(backlog(store, int(sys.argv[5]), folder)), flush=True)  # noqa: T201
    else:
        beats(store)
    os._exit(0)


if __name__ == "__main__":
    main()
