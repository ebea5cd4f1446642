"""Small untrained models for the tests of playing and sharing: real networks, random weights, varied pictures."""

import dataclasses

import torch
from hypothesis import HealthCheck
from hypothesis import settings as examples_of

from gan_play.latent.sample import Model
from gan_play.runs import checkpoints
from gan_play.trainers.recipes import Settings, build_generator, check_settings

SIZE_PX = 32

untimed = examples_of(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For hypothesis: a busy machine is no failure."""


LABELS = ("etching", "oil", "pastel")


def settings(recipe: str = "projected", size_px: int = SIZE_PX, num_labels: int = 0) -> Settings:
    kind = {"recipe": recipe, "size_px": size_px, "num_labels": num_labels}
    return check_settings({**kind, "batch": 8, "width": 8, "seed": 1})


def model(recipe: str = "projected", size_px: int = SIZE_PX, seed: int = 0, num_labels: int = 0) -> Model:
    """A generator whose pictures differ clearly by seed, by noise, and by label if it has any."""
    mine, threads = settings(recipe, size_px, num_labels), torch.get_num_threads()
    label = torch.arange(64) % num_labels if num_labels else None
    torch.set_num_threads(1)  # or the sums below, and with them the model, would depend on it
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = build_generator(mine)
        for name, parameter in generator.named_parameters():
            if name.endswith("noise_strength"):
                torch.nn.init.normal_(parameter, std=0.3)
        with (
            torch.no_grad()
        ):  # as if trained: activations of spread one at each norm, and a picture of contrast
            generator.train()
            for module in generator.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = 1.0
            z = torch.randn(64, generator.z_dim)
            generator.synthesis(generator.mapping(z, label))
            spread = generator.synthesis(generator.mapping(z, label)).std()
            generator.picture.weight *= 0.7 / spread.clamp(0.05)
            means = generator.mapping(z, label).mean(dim=1)
            if generator.w_mean.ndim == 1:
                generator.w_mean.copy_(means.mean(dim=0))
            else:
                generator.w_mean.copy_(
                    torch.stack([means[label == i].mean(dim=0) for i in range(num_labels)])
                )
    torch.set_num_threads(threads)
    generator.eval().requires_grad_(False)
    digest = checkpoints.model_digest(generator.state_dict())
    names = LABELS[:num_labels]
    return Model(generator, digest, "toy-000000", mine, step=100, name="Toy", label_names=names)


def in_run(folder, toy: Model) -> Model:
    """The same model, kept in a run folder as a training's end would."""
    header = checkpoints.make_header(toy.settings, "", toy.step)
    checkpoints.save_generator(folder, toy.generator.state_dict(), header)
    return dataclasses.replace(toy, run_id=folder.name, header=header)


def translator(preset: str = "sketch", size_px: int = SIZE_PX, seed: int = 0, width: int = 8) -> Model:
    """A translator that was never trained, but whose results have contrast and follow their source."""
    kind = {"recipe": "pix2pix", "size_px": size_px, "preset": preset, "num_labels": 0 if preset else 2}
    mine, threads = check_settings({**kind, "batch": 2, "width": width, "seed": 1}), torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build_generator(mine)
        source = torch.randn(8, network.source_channels, size_px, size_px).clamp(-1, 1)
        network.paint.weight *= 0.5 / network(source).std().clamp(1e-3)
    torch.set_num_threads(threads)
    network.eval().requires_grad_(False)
    digest = checkpoints.model_digest(network.state_dict())
    return Model(network, digest, "toy-translator", mine, step=100, name=f"Toy {preset or 'pairs'}")
