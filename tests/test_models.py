"""Claims about published networks: what the manifest says, where they lie and how they get here."""

import hashlib
import sys

import pytest

from purigeom import __main__
from purigeom.downloads import sha256
from purigeom.fetching import fetched
from purigeom.models import Published, listed, lying, manifest, published, shown
from purigeom.networks import files
from purigeom.networks.architectures import PUBLISHED
from purigeom.networks.unet import UNet
from tests.checkpoints import saved
from tests.servers import serving

BYTES = bytes(range(256)) * 300
KINDS = ("denoiser", "classifier", "autoencoder", "energy", "score", "velocity")


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("PURIGEOM_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def server():
    """Serve BYTES at /whole, and nothing elsewhere; give the address and what was asked for."""
    with serving({"whole": BYTES}) as started:
        yield started


def entry(address=None, path="whole", **changes) -> Published:
    known = {"name": "mine", "kind": "classifier", "what": "a test", "architecture": "none", "source": "here"}
    url = {"url": f"{address}/{path}"} if address else {}
    file = {"file": "part/weights.pt", "sha256": hashlib.sha256(BYTES).hexdigest()}
    return Published(**{**known, "licence": "MIT", "use": "it", **file, **url, **changes})


def everything_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_the_manifest_says_enough_of_every_network():
    for one in manifest().values():
        assert one.kind in KINDS
        assert one.licence
        assert one.url or one.hub or one.obtain, "there is a way to get it"
        assert one.file or not one.url
        if one.sha256 is not None:
            assert len(one.sha256) in (8, 64)
            assert int(one.sha256, 16) >= 0


def test_digits_that_a_publisher_writes_into_a_file_s_name_are_those_of_the_manifest():
    named = [one for one in manifest().values() if one.sha256 and one.url]
    assert len(named) >= 5
    for one in named:
        assert one.sha256[:8] in one.file
        assert one.url.endswith(one.file)


def test_classifiers_to_be_named_by_architecture_have_one_of_ours():
    told = [one for one in manifest().values() if one.use.startswith("--classifier FILE:")]
    assert len(told) >= 6
    for one in told:
        assert one.architecture in PUBLISHED
        assert one.use.startswith(f"--classifier FILE:{one.architecture}")


def test_what_is_shipped_is_what_the_manifest_says():
    roots = [root for root in (files.SHIPPED, files.CHECKOUT) if root.is_dir()]
    shipped = {path.name for root in roots for path in root.iterdir() if path.is_dir()}
    assert shipped <= set(manifest())
    for name in shipped:
        found = lying(published(name))
        assert sha256(found) == published(name).sha256
        assert found.stat().st_size == published(name).bytes
        assert "as published" in shown(published(name))
        assert "NOT" not in shown(published(name))


def test_the_list_tells_kind_place_and_licence(models):
    lines = {line.split()[0]: line for line in listed().splitlines()}
    assert set(manifest()) < set(lines)
    assert lines["digits-ddpm"].split()[1:] == ["denoiser", "shipped", "MIT"]
    assert "not here" in lines["akamaster-resnet56"]
    one = published("akamaster-resnet56")
    (models / one.name).mkdir(parents=True)
    (models / one.name / one.file).write_bytes(b"another")
    assert f"in {models}" in next(line for line in listed().splitlines() if line.startswith(one.name))
    assert f"{hashlib.sha256(b'another').hexdigest()}, NOT as published" in shown(one)


def test_what_is_unknown_is_said_to_be_unknown(models):
    text = shown(published("score-sde-cifar10"))
    assert "sha256       unknown" in text
    assert "bytes        unknown" in text
    assert "here         no; Download vp/cifar10_ddpmpp_deep_continuous/checkpoint_8.pth from the source" in text
    assert f"Lay checkpoint_8.pth into {models}/score-sde-cifar10" in text


def test_a_file_is_fetched_checked_and_fetched_only_once(models, server):
    (address, asked), told = server, f"mine is in {models}/mine/part/weights.pt; use it as it"
    one = entry(address)
    assert fetched(one) == told
    assert everything_in(models) == [models / "mine" / "part" / "weights.pt"]
    assert lying(one).read_bytes() == BYTES
    assert fetched(one) == told
    assert asked == ["whole"]


def test_eight_known_digits_are_checked_and_called_eight(models, server):
    one = entry(server[0], sha256=hashlib.sha256(BYTES).hexdigest()[:8])
    fetched(one)
    assert "as published, of which 8 digits are published" in shown(one)
    with pytest.raises(ValueError, match="must give bytes with sha256 00000000"):
        fetched(entry(server[0], name="other", sha256="00000000"))


@pytest.mark.parametrize(
    ("path", "digits", "words"),
    [
        ("whole", "0" * 64, "must give bytes with sha256 0000.*Nothing was kept"),
        ("nowhere", None, "could not be fetched .*404.*PURIGEOM_MODELS"),
    ],
)
def test_what_does_not_arrive_whole_leaves_nothing(models, server, path, digits, words):
    with pytest.raises((ValueError, ConnectionError), match=words):
        fetched(entry(server[0], path, sha256=digits))
    assert not models.exists(), "not even empty folders"


def test_a_damaged_file_that_lies_here_is_not_taken_for_the_network(models, server):
    fetched(entry(server[0]))
    (models / "mine" / "part" / "weights.pt").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="damaged or another file: remove it and fetch again"):
        fetched(entry(server[0]))


def test_without_a_network_it_is_said_how_to_go_on(models):
    with serving({}) as (closed, _):
        pass
    with pytest.raises(ConnectionError, match=r"machine with a network, such as a login node.*copy it into .*mine"):
        fetched(entry(closed))


def test_what_must_be_brought_by_hand_says_so(models):
    with pytest.raises(ValueError, match=r"cannot be fetched: Download it from.*browser.*Lay Standard\.pt into"):
        fetched(published("robustbench-standard"))


@pytest.mark.parametrize("changes", [{"name": "../mine"}, {"name": "/mine"}, {"file": "../../weights.pt"}])
def test_a_model_cannot_be_written_outside_its_folder(changes):
    with pytest.raises(ValueError, match="must stay in their folder"):
        entry(**changes)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return the hub's local cache, with the network switched off."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_hub_id_is_copied_from_the_hub_s_cache_and_used_from_the_models_folder(models, hub):
    cache = hub / "models--someone--copied"
    saved(cache / "snapshots" / ("0" * 40))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    one = entry(name="someone/copied", hub="someone/copied", file=None, sha256=None)
    file = "unet/diffusion_pytorch_model.safetensors"
    assert "/snapshots/" in str(lying(one))
    told = fetched(one)
    assert told.startswith(f"someone/copied is in {models}/someone/copied/{file}; use it as it; nobody published its")
    assert sha256(models / "someone" / "copied" / file) in told
    assert lying(one) == models / "someone" / "copied" / file
    assert files.folder("someone/copied") == models / "someone" / "copied"
    assert UNet("someone/copied").config()["sample_size"] == 8
    assert not list(models.rglob("*.partial"))


def test_a_hub_id_without_a_network_leaves_nothing(models, hub):
    with pytest.raises(FileNotFoundError, match=r"fetching it failed.*on a machine with a network"):
        fetched(published("google/ddpm-cifar10-32"))
    assert not everything_in(models)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], "robustbench-standard"),
        (["show", "robustbench-standard"], "wide-resnet-28-10"),
        (["show", "nothing"], "'nothing' is no published model: choose one of ['akamaster-resnet20'"),
        (["fetch", "../nothing"], "'../nothing' is no published model"),
        (["fetch", "score-sde-cifar10"], "score-sde-cifar10 cannot be fetched"),
    ],
)
def test_the_commands_say_it_in_a_terminal(models, monkeypatch, capsys, words, said):
    monkeypatch.setattr(sys, "argv", ["purigeom", "models", *words])
    with pytest.raises(SystemExit) as stopped:
        __main__.main()
    told = capsys.readouterr()
    assert said in (told.err if stopped.value.code else told.out)
    assert len(told.err.splitlines()) == (1 if stopped.value.code else 0)
