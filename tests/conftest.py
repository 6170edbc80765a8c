"""Datasets that are made once for the whole run, whichever worker asks first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lerobot_grasp_plugin.commands.priority import give_up_real_time_priority

give_up_real_time_priority()  # else a worker that has encoded AV1 as root starves all other processes

settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")  # a busy machine makes examples as slowly as it likes

_HOME = tempfile.mkdtemp(prefix="grasp-tests-")
os.environ["HF_HOME"] = _HOME
os.environ["HF_LEROBOT_HOME"] = f"{_HOME}/lerobot"
os.environ["HF_HUB_OFFLINE"] = "1"  # no test needs the network
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # else each process compiles LeRobot and PyTorch for 9 s
    os.environ["PYTHONPYCACHEPREFIX"] = f"{_HOME}/bytecode"
os.environ["OMP_NUM_THREADS"] = "1"  # each core has a worker; more threads of PyTorch spin and slow both
os.environ["TORCHDYNAMO_DISABLE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from filelock import FileLock  # noqa: E402

import lerobot_grasp_plugin.merging.build  # noqa: E402, F401  # loaded late, it would keep what a test has patched
from tests.support import factories  # noqa: E402  # reads the variables above through the libraries it imports
from tests.support.in_turn import pytest_collection_modifyitems  # noqa: E402, F401  # a hook
from tests.support.project import PROJECT  # noqa: E402  # after the lines above

SHARED_DATA = PROJECT.parent / "shared/data"


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[..., Path]:
    """A folder by name, made by whichever worker asks first; only to be read."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "once"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        root = shared / name
        with FileLock(str(shared / f"{name}.lock")):
            if not root.exists():
                building = shared / "building" / name
                building.parent.mkdir(exist_ok=True)
                make(building)
                building.rename(root)
        return root

    return made


@pytest.fixture(scope="session")
def recorded(once: Callable[..., Path]) -> Callable[[str], Path]:
    """A dataset of ``factories.RECORDINGS`` by name; only to be read."""
    return lambda name: once(name, lambda root: factories.record(root, factories.RECORDINGS[name]))


@pytest.fixture
def copied(recorded: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a recorded dataset that may be spoiled."""

    def made(name: str) -> Path:
        return Path(shutil.copytree(recorded(name), tmp_path / "copied" / name))

    return made


@pytest.fixture
def lerobot_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of LeRobot's."""
    home = tmp_path / "lerobot-home"
    home.mkdir()
    monkeypatch.setenv("HF_LEROBOT_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A dataset of real recordings, where they are at hand."""

    def found(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        return path

    return found


@pytest.fixture(scope="session")
def demo(once: Callable[..., Path]) -> Callable[[], tuple[Path, str]]:
    """What ``lerobot-grasp-demo`` leaves in an empty folder, and what it prints; only to be read."""

    def make(folder: Path) -> None:
        here = folder / "here"
        here.mkdir(parents=True)
        program = Path(sys.executable).parent / "lerobot-grasp-demo"
        done = subprocess.run([program], cwd=here, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        (folder / "printed.txt").write_text(done.stdout)

    def made() -> tuple[Path, str]:
        folder = once("demo", make)
        return folder / "here", (folder / "printed.txt").read_text()

    return made


@pytest.fixture(scope="session")
def simulator() -> None:
    """Skips where the simulator is not installed, or nothing can be rendered."""
    if find_spec("mujoco") is None or find_spec("so101_nexus") is None:
        pytest.skip("the extra sim is not installed")
    from lerobot_grasp_plugin.sim.world import World

    try:
        world = World(fps=30, seed=0)
        world.render("wrist", 32, 32)
    except Exception as error:  # whatever a GL library says
        pytest.skip(f"no image can be rendered here: {error}")
    world.close()
