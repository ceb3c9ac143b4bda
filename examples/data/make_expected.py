"""Makes the files of this folder from public Python packages, and prints how far rounding takes the results.

    python -m venv venv && venv/bin/pip install medpy scikit-image matplotlib
    venv/bin/python examples/data/make_expected.py

The inputs are converted, and diffused by MedPy's implementation of Perona and Malik's scheme, which has nothing to do
with ours. Of each result every 7th row is kept, the first and the last among them.
"""

from pathlib import Path

import matplotlib.cbook
import numpy as np
import skimage.data
from medpy.filter.smoothing import anisotropic_diffusion

HERE = Path(__file__).parent
STEPS, LAMBDA, EVERY = 100, 0.2, 7

with matplotlib.cbook.get_sample_data("jacksboro_fault_dem.npz") as file:
    elevation = file["elevation"]
INPUTS = {"moon": (skimage.data.moon(), 15), "jacksboro_fault_dem": (elevation, 60)}


def in_f64(image, kappa):
    """The same scheme once more, in float64, to tell rounding from mistakes."""
    u = image.astype(np.float64)
    for _ in range(STEPS):
        padded = np.pad(u, 1, mode="edge")
        west, east = padded[1:-1, :-2] - u, padded[1:-1, 2:] - u
        north, south = padded[:-2, 1:-1] - u, padded[2:, 1:-1] - u
        u = u + LAMBDA * sum(np.exp(-((d / kappa) ** 2)) * d for d in (west, east, north, south))
    return u


(HERE / "expected").mkdir(exist_ok=True)
for name, (image, kappa) in INPUTS.items():
    image = image.astype(np.float32)
    result = anisotropic_diffusion(image, niter=STEPS, kappa=kappa, gamma=LAMBDA, option=1)
    assert result.dtype == np.float32 and (len(result) - 1) % EVERY == 0
    np.save(HERE / f"{name}.npy", image)
    np.save(HERE / "expected" / f"{name}.npy", np.ascontiguousarray(result[::EVERY]))
    rounding = np.abs(result - in_f64(image, kappa))
    print(
        f"{name}: {image.shape}, kappa {kappa}: changed by {np.abs(result - image).mean():.3g} on average; "
        f"float32 differs from float64 by at most {rounding.max():.2g}, half of it by less than {np.median(rounding):.2g}"
    )
