"""What every test shares: one thread, since two workers of pytest run beside each other."""

import torch

torch.set_num_threads(1)
