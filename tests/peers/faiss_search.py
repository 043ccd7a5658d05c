"""1:N search by FAISS on one thread: milliseconds a probe, one at a time and in one batch, as one JSON object.

Run by `cargo xtask bench`, which made the virtual environment. Vectors are random directions: what is measured is speed.
"""

import json
import statistics
import sys
import time

import faiss
import numpy

DIMENSION = 128
RANKS = 10


def measure(index, probes):
    single = []
    for i in range(len(probes)):
        start = time.perf_counter()
        index.search(probes[i : i + 1], RANKS)
        single.append((time.perf_counter() - start) * 1e3)
    start = time.perf_counter()
    index.search(probes, RANKS)
    batch = (time.perf_counter() - start) * 1e3 / len(probes)
    return {"ms_per_probe_median": round(statistics.median(single), 3), "ms_per_probe_in_batch": round(batch, 3)}


def main():
    count, probe_count = int(sys.argv[1]), int(sys.argv[2])
    faiss.omp_set_num_threads(1)
    rng = numpy.random.default_rng(1)
    gallery = rng.standard_normal((count, DIMENSION), dtype=numpy.float32)
    gallery /= numpy.linalg.norm(gallery, axis=1, keepdims=True)
    probes = gallery[:: max(1, count // probe_count)][:probe_count].copy()
    probes += 0.118 * rng.standard_normal(probes.shape, dtype=numpy.float32)
    probes /= numpy.linalg.norm(probes, axis=1, keepdims=True)

    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(gallery)
    sq8 = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    sq8.train(gallery[: min(count, 100_000)])
    sq8.add(gallery)
    exact = flat.search(probes, RANKS)[1]
    found = sq8.search(probes, RANKS)[1]
    same = sum(len(set(a) & set(b)) for a, b in zip(exact.tolist(), found.tolist()))
    answer = {
        "version": faiss.__version__,
        "flat": measure(flat, probes),
        "sq8": measure(sq8, probes) | {"recall_at_10": round(same / (RANKS * len(probes)), 3)},
    }
    print(json.dumps(answer))


main()
