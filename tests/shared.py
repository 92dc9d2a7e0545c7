"""Real data beside the checkout, which tests read where they are and go without where they are not."""

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="there are no real images in ../shared/data")
