#!/usr/bin/env python3
"""Records what NumPy makes of features, matrices and pairs of tensors.

usage: make_inside.py              (needs numpy; writes inside.json beside this file)

Neural collapse over the classes with at least 5 samples, as in neuralcollapse's code: S_W the mean
over samples, S_B the mean over classes, the pseudo-inverse with a tolerance of 1e-6.
"""
import json, pathlib
import numpy as np


def collapse(features, labels, head, least):
    classes = [c for c in range(head.shape[0]) if (labels == c).sum() >= least]
    means = np.stack([features[labels == c].mean(0) for c in classes])
    centred = means - means.mean(0)
    count = len(classes)
    keep = np.isin(labels, classes)
    place = np.array([classes.index(c) for c in labels[keep]])
    deviation = features[keep] - means[place]
    within = deviation.T @ deviation / keep.sum()
    between = centred.T @ centred / count
    variances = np.array([(deviation[place == c] ** 2).sum(1).mean() for c in range(count)])
    pairs = [(variances[a] + variances[b]) / (2 * ((means[a] - means[b]) ** 2).sum())
             for a in range(count) for b in range(a)]
    norms = np.linalg.norm(centred, axis=1)
    gram = centred @ centred.T
    cosines = gram / np.outer(norms, norms)
    ideal = (np.eye(count) - 1 / count) / np.sqrt(count - 1)
    rows = head[classes]
    nearest = (((features[keep][:, None] - means[None]) ** 2).sum(-1)).argmin(1)
    chosen = (features[keep] @ rows.T).argmax(1)
    return dict(
        classes=count, samples=int(keep.sum()),
        nc1=float(np.trace(within @ np.linalg.pinv(between, rcond=1e-6, hermitian=True)) / count),
        trace_ratio=float(np.trace(within) / np.trace(between)), cdnv=float(np.mean(pairs)),
        nc2_norms=float(norms.std() / norms.mean()),
        nc2_angles=float(np.abs(cosines + 1 / (count - 1))[~np.eye(count, dtype=bool)].mean()),
        nc2_frame=float(np.linalg.norm(gram / np.linalg.norm(gram) - ideal)),
        nc3=float(np.linalg.norm(rows / np.linalg.norm(rows) - centred / np.linalg.norm(centred))),
        nc4=float((nearest == chosen).mean()))


def main():
    random = np.random.default_rng(4)
    width, classes, samples = 6, 9, 160
    labels = random.integers(0, classes, samples)
    labels[labels == 8] = 0
    labels[:3] = 8
    centres = random.normal(size=(classes, width)) * 2
    features = (centres[labels] + random.normal(size=(samples, width)) + 3).astype(np.float32)
    head = (centres + 0.3 * random.normal(size=(classes, width))).astype(np.float32)
    matrix = random.normal(size=(7, 4)) @ np.diag([5, 1, 0.1, 0.01]) @ random.normal(size=(4, 12))
    matrix = matrix.astype(np.float32)
    matrix[:, 5] *= 40
    a = random.normal(size=(30, 50)).astype(np.float32)
    b = (a + 0.1 * random.normal(size=(30, 50))).astype(np.float32)
    wide = matrix.astype(np.float64)
    values = np.linalg.svd(wide, compute_uv=False)
    share = values / values.sum()
    columns = np.sqrt((wide ** 2).sum(0))
    shown = lambda x: [float(v) for v in np.asarray(x).flatten()]
    record = dict(
        collapse=dict(width=width, labels=labels.tolist(), features=shown(features), head=shown(head),
                      least=5, found=collapse(features.astype(np.float64), labels,
                                              head.astype(np.float64), 5)),
        spectrum=dict(rows=7, columns=12, values=shown(matrix), singular_values=shown(values),
                      stable_rank=float((values ** 2).sum() / values[0] ** 2),
                      effective_rank=float(np.exp(-(share * np.log(share)).sum())),
                      outliers=[int(i) for i in np.nonzero(columns > 3 * np.sort(columns)[6])[0]]),
        difference=dict(rows=30, columns=50, a=shown(a), b=shown(b),
                        relative=float(np.linalg.norm(b.astype(float) - a) / np.linalg.norm(a.astype(float))),
                        cosine=float((a.astype(float) * b).sum() / np.linalg.norm(a.astype(float)) / np.linalg.norm(b.astype(float))),
                        absmax=float(np.abs(b - a).max())))
    pathlib.Path(__file__).with_name("inside.json").write_text(json.dumps(record) + "\n")


main()
