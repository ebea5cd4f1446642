"""Pictures -> features of EfficientNet-Lite2, a network that no recipe trains against."""

import numpy as np
import torch
import torch.nn.functional as F

from gan_play.models.pretrained import frozen_features

LOOK_PX = 128  # every size is brought to this one, so that scores of one set compare


def features(pixels: np.ndarray, batch: int = 32) -> np.ndarray:
    """Pooled penultimate features of pixels (N, S, S, 3) uint8: (N, 1280) float32, on the CPU."""
    network = frozen_features("lite2")
    found = []
    with torch.no_grad():
        for start in range(0, len(pixels), batch):
            x = torch.from_numpy(np.array(pixels[start : start + batch])).permute(0, 3, 1, 2)
            x = x.float().div_(127.5).sub_(1)
            if x.shape[-1] != LOOK_PX:
                x = F.interpolate(x, size=LOOK_PX, mode="bilinear", antialias=x.shape[-1] > LOOK_PX)
            found.append(network.pooled(x))
    return torch.cat(found).numpy()
