"""What strangers may send: damaged files, and stores whose digests are right and whose claims are not."""

import json
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from purigeom.store.arrays import sealed_header
from purigeom.store.plan import folder_name

FIELDS = [0, 1, -1, 10**15, "x", "../../x", "~", "", None, [], {}, True, 0.5, [10**15], ["x"], "\0", "<script>"]


def damaged(content: bytes, seed: int) -> bytes:
    """Return bytes with some of them flipped, cut off, repeated or made huge."""
    dice, found = random.Random(seed), bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 8))):
        place, kind = dice.randrange(len(found) + 1), dice.randrange(6)
        if kind == 0:
            del found[place:]
        elif kind == 1:
            found[place:place] = found[place : place + dice.randrange(64)]
        elif kind == 2:
            found[place : place + 8] = struct.pack("<Q", dice.choice((0, 2**31, 2**40, 2**63, 2**64 - 1)))
        elif kind == 3:
            del found[place : place + dice.randrange(1, 32)]
        elif found:
            found[place % len(found)] = dice.randrange(256)
    return bytes(found)


def changed(thing: Any, seed: int) -> Any:
    """Return JSON of which one value, anywhere, is another or missing."""
    dice, found = random.Random(seed), json.loads(json.dumps(thing))
    places = list(_places(found))
    holder, name = dice.choice(places)
    if dice.randrange(6):
        holder[name] = dice.choice(FIELDS)
    else:
        del holder[name]
    return found


def _places(thing: Any):
    for name in thing if isinstance(thing, dict) else range(len(thing)):
        yield thing, name
        if isinstance(thing[name], dict | list):
            yield from _places(thing[name])


def resealed(array: Path, change: Callable[[dict], dict]) -> None:
    """Change an array's header as its author could, with the digest of what it says now."""
    file = array / "zarr.json"
    try:
        file.write_bytes(sealed_header(change(json.loads(file.read_bytes()))))
    except (KeyError, TypeError, AttributeError):
        file.write_text("{}")


def replanned(segment: Path, change: Callable[[dict], dict]) -> None:
    """Change a segment's plan as its author could, with the folder's name that belongs to it."""
    file = segment / "zarr.json"
    header = json.loads(file.read_bytes())
    plan = change(header["attributes"]["purigeom"])
    header["attributes"]["purigeom"] = plan
    file.write_text(json.dumps(header))
    label = plan.get("label")
    if isinstance(label, str) and "/" not in label and "\0" not in label:
        shutil.move(segment, segment.with_name(folder_name(label, plan)))
