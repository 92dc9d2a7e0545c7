"""Where every kind of purifier was published."""

from collections.abc import Mapping

from purigeom.protocols import RandomMap
from purigeom.purifiers.reconstruction import Reconstruction

PAPERS: Mapping[str, str] = {
    "ADP": "Yoon et al. 2021",
    "AntiAdversary": "Alfarra et al. 2022",
    "Autoencoder": "-",
    "BilateralFilter": "Tomasi and Manduchi 1998",
    "BitDepth": "Xu et al. 2018",
    "DDA": "Gao et al. 2023",
    "DDIM": "Song et al. 2021",
    "DDPM": "Ho et al. 2020, Lee and Kim 2023",
    "DISCO": "Ho and Vasconcelos 2022",
    "DnCNN": "Zhang et al. 2017",
    "EDMSampling": "Karras et al. 2022",
    "FlowMatching": "FlowPure 2025",
    "FreqPure": "Pei et al. 2025",
    "GDMP": "Wang et al. 2022",
    "GaussianBlur": "-",
    "GaussianNoise": "Cohen et al. 2019",
    "Identity": "-",
    "JPEG": "Dziugaite et al. 2016",
    "LangevinEBM": "Hill et al. 2021",
    "LikelihoodMaximisation": "Chen et al. 2024, as in DiffHammer 2024",
    "LoRID": "Zollicoffer et al. 2025",
    "MaskedReconstruction": "MAEP, arXiv 2501.16904",
    "MedianFilter": "Xu et al. 2018",
    "MimicDiffusion": "Song and Lai 2024",
    "NonLocalMeans": "Buades et al. 2005",
    "OneShot": "Carlini et al. 2023",
    "PixelDeflection": "Prakash et al. 2018",
    "ProbabilityFlow": "Song et al. 2021",
    "Quilting": "Guo et al. 2018",
    "RandomCrop": "Guo et al. 2018",
    "RandomPadding": "Xie et al. 2018",
    "RandomSampling": "DiffAP 2024",
    "Repeat": "Lee and Kim 2023",
    "ReverseOnly": "Liu and Wei 2025",
    "SOAP": "Shi et al. 2021",
    "ScoreOptN": "Zhang et al. 2023",
    "ScoreOptO": "Zhang et al. 2023",
    "TotalVariation": "Chambolle 2004, Guo et al. 2018",
    "VPSDE": "Nie et al. 2022",
    "WaveletShrinkage": "Chang et al. 2000, Donoho and Johnstone 1994",
}
"""By the class; a dash where it is nobody's in particular, or nobody has said."""


def paper(purifier: RandomMap) -> str:
    """Return where a catalogued kind of purifier was published; of one that is a network, the network."""
    kind = getattr(purifier, "network", None) if isinstance(purifier, Reconstruction) else purifier
    return PAPERS.get(type(kind).__name__, "-")
