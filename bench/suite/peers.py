"""The programs that are compared, and their versions."""
import os
import re
import shutil
import subprocess
import sys

from suite.options import ROOT


def find(options):
    """Names to paths. Ends the run where one is not there."""
    envoy = options.envoy
    if envoy is None:
        installed = subprocess.run([os.path.join(ROOT, "tests/conformance/install")], check=True, stdout=subprocess.PIPE, text=True)
        envoy = installed.stdout.strip().splitlines()[-1]
    found = {"weir": options.weir, "envoy": envoy, "floor": options.floor, "load": options.load}
    for name in ("haproxy", "nginx", "h2load", "openssl"):
        found[name] = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    for name, path in found.items():
        if path is None or not os.path.exists(path):
            sys.exit(f"bench: there is no {path or name}: `make bench` installs and builds what is missing")
    return found


def versions(programs):
    def said(command, pattern):
        out = subprocess.run(command, capture_output=True, text=True)
        match = re.search(pattern, out.stdout + out.stderr)
        return match.group(1) if match else "?"

    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "weir": said([programs["weir"], "--version"], r"version: ([\d.]+)") + (f" at {commit}" if commit else ""),
        "Envoy": said([programs["envoy"], "--version"], r"/(\d+\.\d+\.\d+)"),
        "HAProxy": said([programs["haproxy"], "-v"], r"version ([\d.]+)"),
        "nginx": said([programs["nginx"], "-v"], r"nginx/([\d.]+)"),
        "h2load": said([programs["h2load"], "--version"], r"nghttp2/([\d.]+)"),
        "OpenSSL": said([programs["openssl"], "version"], r"OpenSSL ([\d.]+)"),
    }
