import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from purigeom.geometry.distances import l1, l2, linf, psnr, ssim

RANDOM = np.random.default_rng(0)


def pairs(channels, size, count=3):
    clean = RANDOM.random((count, channels, size, size))
    return clean, np.clip(clean + 0.1 * RANDOM.standard_normal(clean.shape), 0, 1)


@pytest.mark.parametrize(("channels", "size"), [(1, 32), (3, 32), (3, 224)])
def test_ssim_is_that_of_scikit_image(channels, size) -> None:
    clean, noisy = pairs(channels, size)
    expected = [
        structural_similarity(
            one, other, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=0
        )
        for one, other in zip(clean, noisy, strict=True)
    ]
    np.testing.assert_allclose(ssim(torch.from_numpy(clean), torch.from_numpy(noisy)), expected, rtol=1e-7)


def test_small_images_get_the_largest_odd_window_that_fits() -> None:
    clean, noisy = (torch.from_numpy(images) for images in pairs(1, 8))
    found = ssim(clean, noisy)
    assert ((found > -1) & (found < 1)).all()
    torch.testing.assert_close(ssim(clean, clean), torch.ones(3, dtype=torch.float64))


def test_psnr_is_that_of_scikit_image() -> None:
    clean, noisy = pairs(3, 16)
    expected = [peak_signal_noise_ratio(one, other, data_range=1) for one, other in zip(clean, noisy, strict=True)]
    np.testing.assert_allclose(psnr(torch.from_numpy(clean), torch.from_numpy(noisy)), expected)
    assert torch.isinf(psnr(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))).all()


def test_norms_are_numpy_s() -> None:
    clean, noisy = pairs(2, 4)
    difference = (clean - noisy).reshape(3, -1)
    for distance, order in ((l1, 1), (l2, 2), (linf, np.inf)):
        found = distance(torch.from_numpy(clean), torch.from_numpy(noisy))
        np.testing.assert_allclose(found, np.linalg.norm(difference, order, axis=1))


def test_an_image_s_distance_does_not_depend_on_its_batch() -> None:
    clean, noisy = (torch.from_numpy(images) for images in pairs(3, 16))
    for distance in (l1, l2, linf, psnr, ssim):
        torch.testing.assert_close(distance(clean[1:2], noisy[1:2]), distance(clean, noisy)[1:2])
