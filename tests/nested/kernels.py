"""Where the stock Debian kernels come from.

An installed kernel package is used where it is. Otherwise the package is
downloaded and unpacked into the cache, never installed: its postinst would
build an initrd and touch the boot loader of the machine that runs the tests.
The cache is keyed by package name, which holds the kernel's version.
"""
import functools
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import extract_vmlinux

# Metapackages; each depends on the image of one version.
FLAVOURS = {"cloud": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}


class Unavailable(Exception):
    """Something the machine needs is not here and cannot be had."""


@dataclass
class Kernel:
    flavour: str
    version: str
    bzimage: Path
    modules: Path  # .../lib/modules/VERSION


def _image_package(meta: str) -> str | None:
    """The versioned package @meta stands for, by apt's own lists."""
    try:
        out = subprocess.run(["apt-cache", "depends", "--no-recommends",
                              "--no-suggests", meta],
                             capture_output=True, text=True).stdout
    except FileNotFoundError:
        return None
    m = re.search(r"Depends: (linux-image-\d\S*)", out)
    return m.group(1) if m else None


def download(package: str, cache: Path) -> Path:
    """Unpack @package into the cache, once. The root of its file tree."""
    root = cache / "packages" / package
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    tmp = Path(tempfile.mkdtemp(prefix=package + ".", dir=root.parent))
    try:
        for step in (["apt-get", "-q", "download", package],):
            done = subprocess.run(step, cwd=tmp, capture_output=True, text=True)
            if done.returncode != 0:
                raise Unavailable(
                    f"cannot download {package} (try 'apt-get update'): "
                    f"{done.stderr.strip() or done.stdout.strip()}")
        debs = list(tmp.glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", debs[0], tmp / "root"], check=True)
        try:
            os.rename(tmp / "root", root)
        except OSError:
            if not root.is_dir():  # somebody else was quicker: fine
                raise
    except (FileNotFoundError, IndexError, subprocess.CalledProcessError) as e:
        raise Unavailable(f"cannot unpack {package}: {e}") from e
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    return root


def _in_tree(flavour: str, package: str, root: Path) -> Kernel | None:
    version = package.removeprefix("linux-image-")
    image = root / "boot" / f"vmlinuz-{version}"
    modules = root / "lib/modules" / version
    # /boot may be unreadable, or hold a kernel whose modules are gone.
    if not os.access(image, os.R_OK) or not (modules / "kernel").is_dir():
        return None
    return Kernel(flavour, version, image, modules)


@functools.cache  # asking apt takes most of a second
def find(flavour: str, cache: Path) -> Kernel:
    """The newest stock kernel of @flavour. Raises Unavailable."""
    package = _image_package(FLAVOURS[flavour])
    if package is None:
        # No package lists (an offline machine): what the cache has will do.
        suffix = "-cloud-amd64" if flavour == "cloud" else "-amd64"
        cached = [p.name for p in (cache / "packages").glob("linux-image-*")
                  if re.fullmatch(r"linux-image-[\d.-]+" + suffix, p.name)]
        if not cached:
            raise Unavailable(f"apt does not know {FLAVOURS[flavour]}: run "
                              "'apt-get update' on a Debian 12 machine")
        package = max(cached)
    k = _in_tree(flavour, package, Path("/"))
    k = k or _in_tree(flavour, package, download(package, cache))
    if k is None:
        raise Unavailable(f"{package} holds no kernel image")
    return k


def vmlinux(kernel: Kernel, cache: Path) -> Path:
    """The uncompressed ELF image of @kernel, from the cache when it is there."""
    out = cache / f"vmlinux-{kernel.version}"
    if out.exists() and out.stat().st_mtime > kernel.bzimage.stat().st_mtime:
        return out
    cache.mkdir(parents=True, exist_ok=True)
    try:
        elf = extract_vmlinux.extract(kernel.bzimage.read_bytes())
    except extract_vmlinux.BadImage as e:
        raise Unavailable(f"{kernel.bzimage}: {e}") from e
    tmp = out.with_suffix(f".{os.getpid()}")
    tmp.write_bytes(elf)
    os.replace(tmp, out)
    return out
