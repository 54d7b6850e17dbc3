"""PyTorch's training step of the published six-layer network: torch_peer.py PRECISION ROUNDS RESULT.json

PRECISION is f32 or bf16 (autocast). The network is the first of models/section_4-1/models.py in
mdi-group/interpretable-ml-neutron-spectroscopy (K. T. Butler et al., J. Phys. Condens. Matter 33 (2021) 194006), on 32
images of 240 x 400, with channels_last memory and fused Adam, on one thread. Writes processor seconds (user and system)
of the best round, and the peak resident memory. Ends with 3, and a word, where PyTorch is missing.
"""

import json
import sys
import time

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"PyTorch is missing, so that there is no peer to compare with: {error}", file=sys.stderr)
    sys.exit(3)

precision, rounds, result = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
torch.manual_seed(1)


def block(*sizes):
    layers = []
    for inputs, outputs, kernel in sizes:
        layers += [nn.Conv2d(inputs, outputs, kernel), nn.ReLU()]
    return layers


network = nn.Sequential(
    *block((1, 16, (5, 5)), (16, 16, (3, 3))), nn.MaxPool2d((1, 2)), nn.BatchNorm2d(16),
    *block((16, 16, (1, 3)), (16, 32, (1, 3))), nn.MaxPool2d((2, 2)), nn.BatchNorm2d(32),
    *block((32, 32, (1, 3)), (32, 32, (1, 3))), nn.BatchNorm2d(32),
    nn.Flatten(), nn.Linear(32 * 117 * 92, 64), nn.ReLU(), nn.Linear(64, 2),
).to(memory_format=torch.channels_last)
images = torch.rand(32, 1, 240, 400).contiguous(memory_format=torch.channels_last)
labels = torch.arange(32) % 2
optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)


def step():
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits = network(images)
    nn.functional.cross_entropy(logits.float(), labels).backward()
    optimiser.step()


seconds = []
for _ in range(rounds + 1):
    start = time.process_time()
    step()
    seconds.append(time.process_time() - start)
# Of this program alone: what getrusage calls the peak is also that of the program which started it.
with open("/proc/self/status") as file:
    peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
# The first round builds primitives and the optimiser's memory.
answer = {
    "seconds": min(seconds[1:]),
    "peakBytes": peak * 1024,
    "version": torch.__version__,
}
with open(result, "w") as file:
    json.dump(answer, file)
