"""Programs that cases run in the guest and in the outer machine: those that
are installed here, or else from their Debian packages, unpacked in the cache.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import images
from kernels import Unavailable, download

HERE = Path(__file__).resolve().parent

# What a guest with devices has beyond busybox: program -> package.
_SG = ["inq", "vpd", "readcap", "opcodes", "luns", "modes", "unmap", "verify",
       "raw", "persist", "turs", "requests", "sync", "start", "write_same",
       "reset", "get_lba_status"]
_GUEST = {"mke2fs": "e2fsprogs", "e2fsck": "e2fsprogs",
          **{f"sg_{name}": "sg3-utils" for name in _SG}}
# Packages that hold libraries of those above, by a pattern of their names.
_LIBRARIES = {"sg3-utils": r"libsgutils2\S*"}
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _library_package(package: str) -> str | None:
    if package not in _LIBRARIES:
        return None
    out = subprocess.run(["apt-cache", "depends", package],
                         capture_output=True, text=True).stdout
    m = re.search(r"Depends: (" + _LIBRARIES[package] + ")", out)
    return m.group(1) if m else None


def _find(name: str, package: str, cache: Path) -> tuple[Path, list[Path]]:
    """The program, and directories of libraries that are not installed."""
    found = shutil.which(name, path=_PATH)
    if found:
        return Path(found), []
    root = download(package, cache)
    for d in ("usr/bin", "usr/sbin", "sbin", "bin"):
        if (root / d / name).exists():
            break
    else:
        raise Unavailable(f"{package} has no program {name}")
    lib = _library_package(package)
    return root / d / name, [download(lib, cache) /
                             "usr/lib/x86_64-linux-gnu"] if lib else []


def _libraries(program: Path, extra: list[Path]) -> list[tuple[str, Path]]:
    """Where @program's loader will look for each library, and where it is."""
    env = dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, extra)))
    out = subprocess.run(["ldd", program], capture_output=True, text=True,
                         env=env).stdout
    if "not found" in out:
        raise Unavailable(f"{program} lacks a library:\n{out}")
    files = [Path(p) for p in re.findall(r"(/\S+) \(0x", out)]
    return [(str(f) if "ld-linux" in f.name else f"/lib/{f.name}", f)
            for f in files]


def passt(cache: Path) -> Path:
    return _find("passt", "passt", cache)[0]


def ovmf(cache: Path) -> list[Path]:
    """UEFI firmware and its empty store of variables."""
    names = [f"usr/share/OVMF/OVMF_{part}_4M.fd" for part in ("CODE", "VARS")]
    root = Path("/")
    if not (root / names[0]).exists():
        root = download("ovmf", cache)
    return [root / n for n in names]


def guest_archive(cache: Path, own: list[Path]) -> bytes:
    """
    What is added to an initrd for guests with devices: an archive of its own,
    which Linux unpacks after the first one. @own: static programs of ours.
    """
    c = images.Cpio()
    done = set()
    for name, package in _GUEST.items():
        program, extra = _find(name, package, cache)
        c.file(f"tools/{name}", program.read_bytes(), 0o755)
        for dst, src in _libraries(program, extra):
            if dst not in done:
                c.file(dst.lstrip("/"), src.read_bytes(), 0o755)
                done.add(dst)
    for p in own:
        c.file(f"tools/{p.name}", p.read_bytes(), 0o755)
    for script in sorted((HERE / "inner/run").glob("*.sh")):
        c.file(f"tests/{script.name}", script.read_bytes(), 0o755)
    return c.finish()
