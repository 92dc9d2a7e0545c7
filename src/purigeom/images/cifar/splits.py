"""What the splits of the CIFAR sets hold, and the names under which every source keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Name: TypeAlias = Literal["cifar10", "cifar100", "cifar10.1", "cifar10.1-v4"]
Part: TypeAlias = Literal["train", "test", "all"]


@dataclass(frozen=True)
class Official:
    """Python batches: their archive, their places in it and when extracted, and the key of their labels."""

    archive: str
    batches: tuple[str, ...]
    labels: str = "labels"


@dataclass(frozen=True)
class Hub:
    """A data set of the Hugging Face hub: its parquet files, and the column of their labels."""

    repository: str
    files: str
    labels: str = "label"


@dataclass(frozen=True)
class Remote:
    """A file to download, and the sha256 of its bytes."""

    file: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Held:
    """What a split holds, and where its sources keep it; a source that does not keep it has no names."""

    title: str
    images: int
    classes: int
    zips: tuple[str, ...] = ()
    official: Official | None = None
    arrays: tuple[str, ...] = ()
    hub: Hub | None = None
    remotes: tuple[Remote, ...] = ()
    first: int = 0
    """The id of its first image: test images follow the train images, so that no two share an id."""


_TORONTO = "https://www.cs.toronto.edu/~kriz"
_GITHUB = "https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets"
_TEN, _HUNDRED = "cifar-10-python.tar.gz", "cifar-100-python.tar.gz"
_TEN_BATCHES = "cifar-10-batches-py"
# The digests of the two archives are those that Keras checks; those of CIFAR-10.1, those of TensorFlow Datasets.
_FETCH_TEN = (Remote(_TEN, f"{_TORONTO}/{_TEN}", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),)
_FETCH_HUNDRED = (
    Remote(_HUNDRED, f"{_TORONTO}/{_HUNDRED}", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
)


def _again(version: str, images: int, sha256_of_labels: str, sha256_of_images: str) -> Held:
    """Return a version of CIFAR-10.1; labels are fetched first, so that images are never without them."""
    files = (f"cifar10.1_{version}_labels.npy", f"cifar10.1_{version}_data.npy")
    digests = (sha256_of_labels, sha256_of_images)
    fetched = tuple(Remote(file, f"{_GITHUB}/{file}", sha) for file, sha in zip(files, digests, strict=True))
    return Held(f"cifar10.1 {version}", images, 10, arrays=files, remotes=fetched)


SPLITS: Mapping[tuple[str, str], Held] = {
    ("cifar10", "test"): Held(
        "cifar10 test",
        10_000,
        10,
        ("cifar10/test.zip",),
        Official(_TEN, (f"{_TEN_BATCHES}/test_batch",)),
        hub=Hub("uoft-cs/cifar10", "plain_text/test-*.parquet"),
        remotes=_FETCH_TEN,
        first=50_000,
    ),
    ("cifar10", "train"): Held(
        "cifar10 train",
        50_000,
        10,
        ("cifar10/train_1.zip", "cifar10/train_2.zip"),
        Official(_TEN, tuple(f"{_TEN_BATCHES}/data_batch_{number}" for number in range(1, 6))),
        hub=Hub("uoft-cs/cifar10", "plain_text/train-*.parquet"),
        remotes=_FETCH_TEN,
    ),
    ("cifar100", "test"): Held(
        "cifar100 test",
        10_000,
        100,
        official=Official(_HUNDRED, ("cifar-100-python/test",), "fine_labels"),
        hub=Hub("uoft-cs/cifar100", "cifar100/test-*.parquet", "fine_label"),
        remotes=_FETCH_HUNDRED,
        first=50_000,
    ),
    ("cifar100", "train"): Held(
        "cifar100 train",
        50_000,
        100,
        official=Official(_HUNDRED, ("cifar-100-python/train",), "fine_labels"),
        hub=Hub("uoft-cs/cifar100", "cifar100/train-*.parquet", "fine_label"),
        remotes=_FETCH_HUNDRED,
    ),
    ("cifar100", "all"): Held("cifar100 all", 3_000, 100, ("cifar100_3k.zip",)),
    ("cifar10.1", "test"): _again(
        "v6",
        2_000,
        "ae40beda001693674edc94d925ee8268cfe68905f8f9aff800c8dcdfcd6c9448",
        "2997188e5816f5bd545dc77771b6227828c28146049fcecf3fa10775474cacc6",
    ),
    ("cifar10.1-v4", "test"): _again(
        "v4",
        2_021,
        "1f9544300ded199539b6662364ce7fe6c2e1ea9f87408f06db4b1a6184cffb18",
        "5aaedc268df8f4cffca2ac0cf9e608ae1897a8cddb630c7a850a2ea8f6558e75",
    ),
}
