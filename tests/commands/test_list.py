"""Claims about `purigeom list`."""

from purigeom import listing
from purigeom.catalog import ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES, PURIFIERS
from purigeom.networks.unet import UNet
from purigeom.purifiers.diffusion.ddim import OneShot


def test_list_shows_every_name(command):
    code, out, _ = command("list")
    assert code == 0
    for room in (PURIFIERS, ATTACKS, CLASSIFIERS, DISPLACEMENTS, IMAGES):
        for name, thing in room.items():
            assert any(line.split() and line.split()[0] == name and repr(thing) in line for line in out.splitlines())


def test_list_tells_where_purifiers_come_from_and_what_they_cost(command, monkeypatch):
    monkeypatch.setattr(listing, "asked", lambda *_: ("no", "0"))
    code, out, _ = command("list", "purifiers")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert rows.keys() == {"name", *PURIFIERS}
    assert all(purifier.declaration.family in rows[name] for name, purifier in PURIFIERS.items())


def test_one_image_tells_of_randomness_and_network_calls():
    assert listing.asked(PURIFIERS["gaussian-noise"], listing.GREY) == ("yes", "0")
    assert listing.asked(PURIFIERS["digits-one-shot"], listing.GREY) == ("yes", "1")
    assert listing.asked(PURIFIERS["median"], listing.GREY) == ("no", "0")
    assert listing.asked(OneShot(UNet("absent"), 10), listing.GREY) == ("-", "-")


def test_list_names_the_rooms_there_are(command):
    code, out, err = command("list", "nothing")
    assert (code, out) == (2, "")
    assert "'nothing' is no part of the catalogue: choose one of ['purifiers', 'attacks'" in err
