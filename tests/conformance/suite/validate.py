"""Configurations given to `--mode validate`: accepted or not, and what the fault names."""
import os
import subprocess

from . import config


def run(case, program, guests, folder):
    """The outcome as lines, and whether it was accepted."""
    path = os.path.join(folder, "envoy.yaml")
    words = {"GUESTS": guests, "FOLDER": folder, "LISTEN": 19001, "ADMIN": 19002, "FENCE": 19003, "UPSTREAM": 19004, "CALLOUT": 19005, "REFUSED": 19006}
    with open(path, "w") as out:
        out.write(config.fill(case.config, words))
    try:
        done = subprocess.run([program, "--mode", "validate", "-c", path, "-l", "error", "--disable-hot-restart"], cwd=folder,
                              capture_output=True, text=True, errors="replace", timeout=60)
    except subprocess.TimeoutExpired:
        return ["no end within 60 seconds"], None, ""
    accepted = done.returncode == 0
    text = done.stdout + done.stderr
    lines = ["accepted" if accepted else "rejected"]
    if case.names:
        lines.append(f"the message names {case.names!r}: {case.names in text}")
    return lines, accepted, text
