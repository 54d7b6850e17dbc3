"""PyTorch's training step of the published six-layer network.

    torch_peer.py PRECISION ROUNDS RESULT.json [--device cpu|cuda] [--small]

The network is the first of models/section_4-1/models.py in mdi-group/interpretable-ml-neutron-spectroscopy (K. T. Butler et
al., J. Phys. Condens. Matter 33 (2021) 194006), on 32 images of 240 x 400, with fused Adam. Ends with 3, and a word, where
PyTorch, or its CUDA, is missing.

On the CPU: PRECISION is f32 or bf16 (autocast), on one thread with channels_last memory. Writes processor seconds (user and
system) of the best round, and the peak resident memory.

On a CUDA device: PRECISION is f32, tf32 or bf16. Both memory formats are tried, as written and through torch.compile, with and
without CUDA graphs, cuDNN choosing its algorithms by trial; the fastest counts. The batch stays on the device. Writes seconds of
a step by the wall clock, the best of several runs of ROUNDS steps, and the peak of the device's memory.
"""

import argparse
import json
import sys
import time

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"PyTorch is missing, so that there is no peer to compare with: {error}", file=sys.stderr)
    sys.exit(3)

parser = argparse.ArgumentParser()
parser.add_argument("precision", choices=["f32", "tf32", "bf16"])
parser.add_argument("rounds", type=int)
parser.add_argument("result")
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("--small", action="store_true", help="tiny images, to see whether it works")
options = parser.parse_args()
rows, columns = (12, 40) if options.small else (240, 400)


def block(*sizes):
    layers = []
    for inputs, outputs, kernel in sizes:
        layers += [nn.Conv2d(inputs, outputs, kernel), nn.ReLU()]
    return layers


def training(memory_format, device):
    """The network, its images and labels, and the optimiser."""
    torch.manual_seed(1)
    flat = 32 * ((rows - 6) // 2) * ((((columns - 6) // 2 - 4) // 2) - 4)
    network = nn.Sequential(
        *block((1, 16, (5, 5)), (16, 16, (3, 3))), nn.MaxPool2d((1, 2)), nn.BatchNorm2d(16),
        *block((16, 16, (1, 3)), (16, 32, (1, 3))), nn.MaxPool2d((2, 2)), nn.BatchNorm2d(32),
        *block((32, 32, (1, 3)), (32, 32, (1, 3))), nn.BatchNorm2d(32),
        nn.Flatten(), nn.Linear(flat, 64), nn.ReLU(), nn.Linear(64, 2),
    ).to(device, memory_format=memory_format)
    images = torch.rand(32, 1, rows, columns).to(device).contiguous(memory_format=memory_format)
    labels = (torch.arange(32) % 2).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    return network, images, labels, optimiser


def stepper(network, images, labels, optimiser, device):
    def step():
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=options.precision == "bf16"):
            logits = network(images)
        nn.functional.cross_entropy(logits.float(), labels).backward()
        optimiser.step()

    return step


def on_cpu():
    torch.set_num_threads(1)
    step = stepper(*training(torch.channels_last, "cpu"), "cpu")
    seconds = []
    for _ in range(options.rounds + 1):
        start = time.process_time()
        step()
        seconds.append(time.process_time() - start)
    # Of this program alone: what getrusage calls the peak is also that of the program which started it.
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    # The first round builds primitives and the optimiser's memory.
    return {"seconds": min(seconds[1:]), "peakBytes": peak * 1024, "version": torch.__version__}


def captured(step):
    """The whole step as one CUDA graph, which the host starts with one call."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def on_cuda():
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision != "f32"
    formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    found, words, began = [], {}, time.perf_counter()
    for way in ["as written", "CUDA graph", "compiled", "compiled, CUDA graph"]:
        for name, memory_format in formats.items():
            if time.perf_counter() - began > 120:
                words[f"{name}, {way}"] = "not tried: two minutes were over"
                continue
            try:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
                network, images, labels, optimiser = training(memory_format, "cuda")
                if "graph" in way:
                    # An optimiser within a graph keeps its counts on the device.
                    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True, capturable=True)
                if "compiled" in way:
                    network = torch.compile(network)
                step = stepper(network, images, labels, optimiser, "cuda")
                for _ in range(3):
                    step()
                run = captured(step) if "graph" in way else step
                best = float("inf")
                for _ in range(1 if options.small else 5):
                    torch.cuda.synchronize()
                    start = time.perf_counter()
                    for _ in range(options.rounds):
                        run()
                    torch.cuda.synchronize()
                    best = min(best, (time.perf_counter() - start) / options.rounds)
                found.append((best, f"{name}, {way}", torch.cuda.max_memory_reserved()))
                words[f"{name}, {way}"] = f"{best * 1e3:.3f} ms"
            except Exception as error:  # no compiler, no memory: the other ways count
                words[f"{name}, {way}"] = f"failed: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
    if not found:
        print(f"PyTorch trains in none of its ways: {words}", file=sys.stderr)
        sys.exit(1)
    seconds, variant, peak = min(found)
    return {
        "seconds": seconds, "peakBytes": peak, "version": torch.__version__, "variant": variant, "variants": words,
        "libraries": str(torch.backends.cudnn.version()),
    }


if options.device == "cuda" and not torch.cuda.is_available():
    print("PyTorch has no CUDA device here, so that there is no peer to compare with", file=sys.stderr)
    sys.exit(3)
answer = on_cuda() if options.device == "cuda" else on_cpu()
with open(options.result, "w") as file:
    json.dump(answer, file)
