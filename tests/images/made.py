"""Made-up images in the forms in which CIFAR comes; every pixel tells its image, channel, row and column."""

import io
import json
import struct
import tarfile
import zipfile

import numpy as np
from PIL import Image

EXTRACTED = "cifar-10-batches-py"


def pixels(count, first=0):
    image, channel, row, column = np.ogrid[first : first + count, :3, :32, :32]
    return ((7 * image + 85 * channel + 5 * row + column) % 256).astype(np.uint8)


def labels(count, classes=10):
    return 3 * np.arange(count) % classes


def batch(images, numbers, key="labels"):
    """Return a batch as Python 2 pickled the official ones: byte strings, and numpy by its old names."""
    rows = images.reshape(len(images), -1)
    kind = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01"
        + struct.pack("<cHcH", b"M", rows.shape[0], b"M", rows.shape[1])
        + b"\x86"
        + kind
        + b"\x89"
        + struct.pack("<cI", b"T", rows.size)
        + rows.tobytes()
        + b"tb"
    )
    listed = b"](" + b"".join(b"K" + bytes([number]) for number in numbers) + b"e"
    return b"\x80\x02}(" + _text("batch_label") + _text("made") + _text("data") + array + _text(key) + listed + b"u."


def _text(word):
    return b"U" + bytes([len(word)]) + word.encode()


def archive(path, members):
    """Write a tar.gz of named bytes."""
    with tarfile.open(path, "w:gz", compresslevel=1) as stored:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            stored.addfile(member, io.BytesIO(content))


def mosaic(images, **options):
    """Return a thousand images as one WebP picture."""
    tiles = images.reshape(20, 50, 3, 32, 32).transpose(0, 3, 1, 4, 2).reshape(640, 1600, 3)
    return encoded(tiles, "WEBP", **({"lossless": True, "quality": 0, "method": 0} | options))


def encoded(array, form, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def mosaics(path, images, numbers, **replaced):
    """Write a zip of mosaics; of what is `replaced`, other bytes, or nothing."""
    stored = io.BytesIO()
    np.savez(stored, y=np.asarray(numbers, np.uint8))
    members = {f"mosaic_{place:02d}": mosaic(images[1000 * place :][:1000]) for place in range(len(images) // 1000)}
    members |= {"labels": stored.getvalue(), "meta": json.dumps({}).encode()} | replaced
    suffixes = {"labels": ".npz", "meta": ".json"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in members.items():
            if content is not None:
                zipped.writestr(name + suffixes.get(name, ".webp"), content)
