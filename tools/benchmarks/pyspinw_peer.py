"""Times pyspinw's compiled core: pyspinw_peer.py PROBLEM.json RESULT.json. Ends with 3 where pyspinw is not installed."""

import json
import sys
import time

try:
    import numpy as np
    from pyspinw.basis import site_rotations
    from pyspinw.rust import Coupling, spinwave_calculation
except ImportError as reason:
    print(f"no peer: {reason}; install it with 'pip install pyspinw'", file=sys.stderr)
    sys.exit(3)

with open(sys.argv[1]) as file:
    problem = json.load(file)

spins = np.array(problem["spins"])
layout = {"dtype": complex, "order": "F"}
# It counts each bond from both ends, and a site's own term as half a bond.
couplings = []
for bond in problem["bonds"]:
    matrix, offset = np.array(bond["matrix"]), np.array(bond["offset"], dtype="double")
    couplings.append(Coupling(bond["from"], bond["to"], np.array(matrix, **layout), offset))
    couplings.append(Coupling(bond["to"], bond["from"], np.array(matrix.T, **layout), -offset))
for term in problem["anisotropies"]:
    couplings.append(
        Coupling(term["site"], term["site"], np.array(2 * np.array(term["matrix"]), **layout), np.zeros(3)))

q = np.array(problem["q"])
arguments = {
    "rotations": [np.array(r, **layout) for r in site_rotations(spins)],
    "magnitudes": np.sqrt((spins**2).sum(axis=1)),
    "q_vectors": q,
    "couplings": couplings,
    "positions": [np.array(r) for r in problem["positions"]],
    "rlu_to_cart": np.array(problem["reciprocal"]),
    "field": None,
    "rotating_frame": None,
    "save_sab": False,
    "save_wavefunctions": False,
}
best = float("inf")
for _ in range(3):
    start = time.process_time()
    energies = spinwave_calculation(**arguments)[0]
    best = min(best, time.process_time() - start)

sites = len(spins)
first = [sorted(np.real(e))[sites:] for e in energies[:200]]
with open(sys.argv[2], "w") as file:
    json.dump({"microseconds": best / len(q) * 1e6, "energies": first}, file)
