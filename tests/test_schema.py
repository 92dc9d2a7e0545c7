"""Claims about the one place where every stored variable is declared."""

import numpy as np
import pytest
import xarray as xr

from purigeom import demo, store
from purigeom.images import Digits
from purigeom.noise import Noise
from purigeom.purifiers.identity import Identity
from purigeom.schema import VARIABLES, validate
from purigeom.sweep import Task, run


def made(name, dims):
    return xr.Dataset({name: (dims, np.ones((1,) * len(dims)))})


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=VARIABLES)
def test_every_variable_says_what_it_is(variable):
    assert variable.meaning.endswith(".")
    assert variable.units
    assert "image" in variable.dims
    assert len(set(variable.dims)) == len(variable.dims)
    documented = validate(made(variable.name, variable.dims))[variable.name].attrs
    assert documented == {"description": variable.meaning, "units": variable.units}


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=VARIABLES)
def test_a_variable_with_other_dimensions_is_refused(variable):
    with pytest.raises(ValueError, match=f"'{variable.name}' must have dimensions"):
        validate(made(variable.name, variable.dims[::-1]))
    with pytest.raises(ValueError, match=f"'{variable.name}' must have dimensions"):
        validate(made(variable.name, variable.dims[:-1]))


def test_an_undeclared_variable_is_refused():
    with pytest.raises(KeyError, match="Cannot store 'luck': not declared"):
        validate(made("luck", ("image",)))


@pytest.mark.parametrize("measurement", demo.MEASUREMENTS, ids=lambda measurement: measurement.label)
def test_every_measurement_keeps_the_schema_in_memory_and_in_a_store(measurement, tmp_path):
    images = Digits()[:2]
    batch = images.load()
    facts = validate(measurement(Identity(), batch, Noise(0, batch.image_ids)))
    assert facts.image.values.tolist() == list(batch.image_ids)
    stored = store.load(run([Task("identity", Identity(), measurement, images)], tmp_path, quiet=True))
    for name, array in facts.data_vars.items():
        assert stored[name].dims == ("purifier", *array.dims)
        assert stored[name].attrs == {"description": VARIABLES[name].meaning, "units": VARIABLES[name].units}
        np.testing.assert_array_equal(stored[name].isel(purifier=0), array)
