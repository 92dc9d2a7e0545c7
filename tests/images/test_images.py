import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from purigeom.images import Digits, ImageFile, InMemory, checked
from purigeom.protocols import Batch


def test_the_shipped_digits_are_scikit_learn_s() -> None:
    theirs, train, test = load_digits(), Digits("train").load(), Digits("test").load()
    for split in (train, test):
        ids = list(split.image_ids)
        np.testing.assert_array_equal(split.images[:, 0].numpy() * 16, theirs.images[ids])
        np.testing.assert_array_equal(split.labels, theirs.target[ids])
    assert set(train.image_ids) | set(test.image_ids) == set(range(1797))
    assert not set(train.image_ids) & set(test.image_ids)


def test_a_slice_keeps_the_ids() -> None:
    whole, part = Digits(), Digits()[10:20][2:5]
    assert part.load().image_ids == whole.load().image_ids[12:15]
    assert len(part) == 3
    assert part.content() != Digits()[:3].content()
    assert Digits()[5:2].load().image_ids == ()


def test_images_from_a_file_keep_their_ids(tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "four.npz", images=pixels, labels=np.arange(4), ids=np.array([9, 7, 5, 3]))
    batch = ImageFile(str(tmp_path / "four.npz"))[1:3].load()
    assert batch.image_ids == (7, 5)
    torch.testing.assert_close(batch.images, torch.from_numpy(pixels[1:3]) / 255)
    assert ImageFile(str(tmp_path / "four.npz"))[1:4][1:2].load().image_ids == (5,)


def test_a_file_without_images_is_named(tmp_path) -> None:
    np.savez(tmp_path / "none.npz", labels=np.arange(4))
    with pytest.raises(KeyError, match=r"must hold an array `images`; it holds \['labels'\]"):
        ImageFile(str(tmp_path / "none.npz")).load()


@pytest.mark.parametrize(
    ("images", "ids", "message"),
    [
        (torch.zeros(2, 4, 4), (0, 1), r"floats of shape \(image, channel, row, column\)"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), (0, 1), "got uint8 of shape"),
        (torch.full((2, 1, 4, 4), 255.0), (4, 8), r"image 4 spans 255 to 255.*1/255"),
        (torch.full((2, 1, 4, 4), float("nan")), (4, 8), "image 4 holds NaN"),
        (torch.zeros(2, 1, 4, 4) - 0.1, (4, 8), "image 4 spans -0.1"),
        (torch.zeros(2, 1, 4, 4), (4, 4), "got 1 distinct ids for 2 images"),
    ],
)
def test_wrong_images_are_named(images, ids, message) -> None:
    with pytest.raises(ValueError, match=message):
        checked(Batch(images, None, ids))


def test_labels_must_fit() -> None:
    with pytest.raises(ValueError, match="got 3 for 2 images"):
        checked(Batch(torch.zeros(2, 1, 4, 4), torch.zeros(3), (0, 1)))


def test_images_in_memory_are_known_by_their_bytes() -> None:
    one, other = (InMemory(Batch(torch.full((1, 1, 2, 2), value), None, (0,))) for value in (0.25, 0.5))
    assert repr(one) == repr(other)
    assert one.content() != other.content()
