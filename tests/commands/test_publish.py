"""``--push_to_hub`` of relabel and merge, and ``lerobot-grasp-publish``, with a Hub that speaks HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import factories
from tests.support.fake_hub import READ_TOKEN, FakeHub, serving

type Recorded = Callable[[str], Path]
type Run = Callable[..., subprocess.CompletedProcess[str]]

REPO = "lab/picks_labelled"
KEPT = ".gitattributes"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving() as serving_hub:
        yield serving_hub


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("0: 3-\n1: 1, 4-5\n2: all fail\n3: all success\n4: 8\n")
    return path


@pytest.fixture
def run(hub: FakeHub, tmp_path: Path) -> Run:
    """Runs a command that asks the stand-in Hub."""

    def call(command: str, *args: object, token: str | None = "hf_writes", **more: str):
        environment = {**os.environ, **hub.environment(token), **more}
        environment.update(HF_HOME=str(tmp_path / "hf"), HF_LEROBOT_HOME=str(tmp_path / "home"))
        if token is None:
            environment.pop("HF_TOKEN", None)
        done = subprocess.run(
            [Path(sys.executable).with_name(f"lerobot-grasp-{command}"), *map(str, args)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture
def relabel(run: Run, recorded: Recorded, labels: Path) -> Run:
    """Relabels a recording to ``out`` and pushes it."""

    def call(*args: object, root: Path | None = None, out: str = "out", **options):
        flags = ("--root", root or recorded("av1"), "--annotations", labels, "--new_root", out)
        return run("relabel", *flags, "--new_repo_id", REPO, "--push_to_hub", *args, **options)

    return call


def on_disk(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def on_hub(hub: FakeHub, repo_id: str = REPO) -> dict[str, bytes]:
    files = dict(hub.repos[repo_id].files)
    files.pop(KEPT)
    return files


def refused(done: subprocess.CompletedProcess[str], *wanted: str) -> None:
    assert done.returncode == 2, done.stderr
    for text in wanted:
        assert text in done.stderr


def test_the_repository_is_the_folder(hub: FakeHub, relabel: Run, tmp_path: Path) -> None:
    done = relabel()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Published {REPO} at {hub.address}/datasets/{REPO}\n")
    repo = hub.repos[REPO]
    assert on_hub(hub) == on_disk(tmp_path / "out")
    assert len(repo.commits) == 2  # the Hub's own first one, and the dataset's
    assert repo.tags == {"v3.0": repo.head}
    assert not repo.private


def test_neither_lerobot_nor_torch_is_imported(hub: FakeHub, relabel: Run, run: Run, tmp_path: Path) -> None:
    relabel()
    code = (
        "import sys; from lerobot_grasp_plugin.commands.publish import main\n"
        f"code = main(['--repo_id={REPO}', '--root={tmp_path / 'out'}'])\n"
        "sys.exit(code or any(name in sys.modules for name in ('torch', 'lerobot', 'pandas', 'datasets')))"
    )
    environment = {**os.environ, **hub.environment()}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_new_version_replaces_all_of_the_old_one(
    hub: FakeHub, relabel: Run, recorded: Recorded, labels: Path, tmp_path: Path
) -> None:
    assert relabel(out="first").returncode == 0
    hub.repos[REPO].files["data/chunk-000/file-007.parquet"] = b"of an earlier version"
    hub.repos[REPO].files["sarm_progress.parquet"] = b"also"
    labels.write_text(labels.read_text().replace("0: 3-", "0: 5-"))
    done = relabel(out="second")
    assert done.returncode == 0, done.stderr
    repo = hub.repos[REPO]
    assert on_hub(hub) == on_disk(tmp_path / "second") != on_disk(tmp_path / "first")
    assert len(repo.commits) == 3
    assert repo.tags == {"v3.0": repo.head}
    assert repo.files[KEPT]


def test_what_was_pushed_is_read_elsewhere(
    hub: FakeHub, relabel: Run, run: Run, labels: Path, tmp_path: Path
) -> None:
    relabel(out="first")
    labels.write_text(labels.read_text().replace("0: 3-", "0: 5-"))
    relabel(out="second")
    done = run("relabel", "--repo_id", REPO, "--annotations", labels, "--new_root", "again")
    assert done.returncode == 0, done.stderr
    snapshots = tmp_path / "home/hub" / f"datasets--{REPO.replace('/', '--')}" / "snapshots"
    (snapshot,) = snapshots.iterdir()
    downloaded, original = on_disk(snapshot), on_disk(tmp_path / "second")
    assert downloaded.items() <= original.items()
    assert {name.split("/")[0] for name in downloaded} == {"meta", "data", "videos", "README.md"}
    assert factories.data_table(tmp_path / "again").equals(factories.data_table(tmp_path / "second"))
    script = (
        "from lerobot.datasets import LeRobotDataset\n"
        f"data = LeRobotDataset({REPO!r}, root={str(tmp_path / 'by_lerobot')!r})\n"
        "print('rewards', [int(data[i]['next.reward']) for i in range(7)])\n"
    )
    read = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **hub.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert "rewards [0, 0, 0, 0, 1, 1, 1]" in read.stdout
    by_lerobot = {n: b for n, b in on_disk(tmp_path / "by_lerobot").items() if not n.startswith(".")}
    assert by_lerobot == original


def test_the_card_says_what_lerobots_card_says(relabel: Run, tmp_path: Path) -> None:
    relabel()
    card = (tmp_path / "out/README.md").read_text()
    info = json.dumps(json.loads((tmp_path / "out/meta/info.json").read_text()), indent=4)
    assert f"spaces/lerobot/visualize_dataset?path={REPO}" in card
    assert f"```json\n{info}\n```" in card
    assert "- LeRobot\n" in card


def test_the_licence_is_that_of_the_sources(
    hub: FakeHub, run: Run, recorded: Recorded, copied: Recorded, tmp_path: Path
) -> None:
    closed = copied("av1")
    (closed / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    shutil.copytree(closed, tmp_path / "open")
    (tmp_path / "open/README.md").write_text("---\nlicense: mit\n---\n")
    flags = ("--sources", f"[{closed}, {tmp_path / 'open'}]", "--new_repo_id", REPO, "--push_to_hub")
    done = run("merge", *flags)
    assert done.returncode == 1
    assert "cc-by-nc-4.0" in done.stderr
    assert "mit in open" in done.stderr
    assert not hub.repos
    done = run("merge", *flags, "--license", "cc-by-nc-4.0")
    assert done.returncode == 0, done.stderr
    assert b"\nlicense: cc-by-nc-4.0\n" in hub.repos[REPO].files["README.md"]


def test_private(hub: FakeHub, relabel: Run, tmp_path: Path) -> None:
    assert relabel("--private").returncode == 0
    assert hub.repos[REPO].private
    assert relabel("--private", out="second").returncode == 0
    hub.repos[REPO].private = False
    refused(
        relabel("--private", out="third"), "[repository-is-public]", f"hf repos settings {REPO} --private"
    )
    assert not (tmp_path / "third").exists()


def test_options_that_mean_nothing_without_a_push(run: Run, recorded: Recorded, labels: Path) -> None:
    flags = ("--root", recorded("av1"), "--annotations", labels, "--new_root", "out")
    refused(run("relabel", *flags, "--private", "--replace"), "--private and --replace", "--push_to_hub")


def lerobots(recorded: Recorded) -> dict[str, bytes]:
    return on_disk(recorded("av1"))


def other_sources(recorded: Recorded) -> dict[str, bytes]:
    sidecar = {"recipe": {"new_repo_id": REPO}, "sources": [{"repo_id": "lab/lamps"}]}
    return {**lerobots(recorded), "meta/grasp_provenance.json": json.dumps(sidecar).encode()}


def other_name(recorded: Recorded) -> dict[str, bytes]:
    sidecar = {"recipe": {"new_repo_id": "lab/other"}, "sources": [{"repo_id": "lab/av1"}]}
    return {**lerobots(recorded), "meta/grasp_provenance.json": json.dumps(sidecar).encode()}


def torn_sidecar(recorded: Recorded) -> dict[str, bytes]:
    return {**lerobots(recorded), "meta/grasp_provenance.json": b'{"recipe": '}


def no_dataset(_: Recorded) -> dict[str, bytes]:
    return {"model.safetensors": b"weights"}


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (lerobots, "contains a dataset without meta/grasp_provenance.json"),
        (other_sources, "contains a dataset made from lab/lamps, but this one is made from av1"),
        (other_name, "was made as lab/other, not as lab/picks_labelled"),
        (torn_sidecar, "contains a dataset made from unknown sources"),
        (no_dataset, "contains 1 file but not a LeRobot dataset"),
    ],
)
def test_another_dataset_is_replaced_only_on_request(
    held: Callable[[Recorded], dict[str, bytes]],
    message: str,
    hub: FakeHub,
    relabel: Run,
    recorded: Recorded,
    tmp_path: Path,
) -> None:
    before = dict(hub.add(REPO, held(recorded)).files)
    refused(relabel(), message, "[other-dataset]", "--replace", "nothing was written")
    assert not (tmp_path / "out").exists()  # refused before the work
    assert hub.repos[REPO].files == before
    assert relabel("--replace").returncode == 0
    assert on_hub(hub) == on_disk(tmp_path / "out")


def test_a_repository_without_a_dataset_is_free(hub: FakeHub, relabel: Run, tmp_path: Path) -> None:
    hub.add(REPO, {"README.md": b"to come"})
    assert relabel().returncode == 0
    assert on_hub(hub) == on_disk(tmp_path / "out")


def test_in_place(hub: FakeHub, run: Run, recorded: Recorded, labels: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(recorded("av1"), tmp_path / "picks"))
    hub.add("lab/picks", lerobots(recorded))
    flags = ("--root", root, "--repo_id", "lab/picks", "--annotations", labels, "--in_place", "--push_to_hub")
    refused(run("relabel", *flags), "[other-dataset]")
    assert run("relabel", *flags, "--replace").returncode == 0
    labels.write_text(labels.read_text().replace("0: 3-", "0: 5-"))
    done = run("relabel", *flags)  # now an earlier version is there
    assert done.returncode == 0, done.stderr
    assert on_hub(hub, "lab/picks") == on_disk(root)


def test_merge(hub: FakeHub, run: Run, recorded: Recorded, tmp_path: Path) -> None:
    sources = f"[{{root: {recorded('av1')}}}, {{root: {recorded('av1')}, episodes: [1]}}]"
    flags = ("--sources", sources, "--new_repo_id", "robots/all", "--push_to_hub")
    done = run("merge", *flags)
    assert done.returncode == 0, done.stderr
    assert on_hub(hub, "robots/all") == on_disk(tmp_path / "home/robots/all")
    hub.repos["robots/all"].files.pop("meta/grasp_provenance.json")
    refused(run("merge", *flags, "--new_root", "second"), "[other-dataset]")
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"token": None}, ["hf auth login"]),
        ({"token": "hf_old"}, ["Invalid user token", "hf auth login"]),
        ({"token": READ_TOKEN}, ["the access token is read-only", "write permission"]),
        ({"HF_HUB_OFFLINE": "1"}, ["HF_HUB_OFFLINE"]),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, ["Connection refused"]),
    ],
)
def test_a_hub_that_says_no_says_so_before_the_work(
    options: dict[str, str], wanted: list[str], hub: FakeHub, relabel: Run, tmp_path: Path
) -> None:
    refused(relabel(**options), *wanted, "nothing was written")
    assert not (tmp_path / "out").exists()
    assert not hub.repos


def test_names_the_account_has_no_right_to(hub: FakeHub, relabel: Run, tmp_path: Path) -> None:
    refused(relabel("--new_repo_id", "else/picks"), "'lab' cannot write datasets of 'else'", "lab, robots")
    refused(relabel("--new_repo_id", "picks"), "[no-owner]", "owner/picks")
    assert not (tmp_path / "out").exists()


def test_everything_at_once(hub: FakeHub, relabel: Run, recorded: Recorded) -> None:
    hub.add(REPO, lerobots(recorded))
    done = relabel("--private", token=READ_TOKEN)
    refused(done, "is read-only", "[repository-is-public]", "[other-dataset]", "3 errors")


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ("POST /datasets/.*batch", 403, "Private repository storage limit reached"),
        ("PUT /large/.*", 403, "storage limit"),
        ("POST .*/commit/main", 412, "A commit has happened since"),
        ("POST .*/tag/.*", 403, "no tags today"),
    ],
)
def test_a_failed_upload_keeps_the_output_and_says_how_to_go_on(
    request_: str, status: int, message: str, hub: FakeHub, relabel: Run, run: Run, tmp_path: Path
) -> None:
    hub.failures[request_] = (status, message)
    done = relabel()
    again = f"lerobot-grasp-publish --repo_id {REPO} --root out"
    refused(
        done, message, "[publish-failed]", f"the dataset is complete at out; publish it again with: {again}"
    )
    assert "nothing was written" not in done.stderr
    assert on_disk(tmp_path / "out")
    hub.failures.clear()
    assert run(*again.removeprefix("lerobot-grasp-").split()).returncode == 0
    assert on_hub(hub) == on_disk(tmp_path / "out")
    assert hub.repos[REPO].tags == {"v3.0": hub.repos[REPO].head}


def test_a_folder_without_a_dataset(run: Run, tmp_path: Path) -> None:
    refused(run("publish", "--repo_id", REPO), "[no-dataset]")
    refused(run("publish", "--root", tmp_path), "--repo_id owner/name")


def test_links_that_lead_outside_are_not_followed(
    run: Run, copied: Recorded, hub: FakeHub, tmp_path: Path
) -> None:
    root = copied("av1")
    (tmp_path / "secret").write_text("key")
    (root / "notes.txt").symlink_to(tmp_path / "secret")
    done = run("publish", "--repo_id", REPO, "--root", root)
    assert done.returncode == 1
    assert "notes.txt" in done.stderr
    assert not hub.repos


def test_what_is_no_part_of_a_dataset_stays_here(run: Run, copied: Recorded, hub: FakeHub) -> None:
    root = copied("av1")
    for name in ("images/wrist/frame.png", ".cache/huggingface/x", ".git/config"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("x")
    assert run("frames", "--root", root, "--episodes", "[0]").returncode == 0
    assert run("publish", "--repo_id", REPO, "--root", root).returncode == 0
    assert {name.split("/")[0] for name in on_hub(hub)} <= {"meta", "data", "videos", "README.md"}


def test_a_recording_is_published_as_its_folder_is(
    hub: FakeHub, recorded: Recorded, copied: Recorded, tmp_path: Path
) -> None:
    """What lerobot-grasp-record does when its session has ended."""
    root = copied("av1")
    code = (
        "from pathlib import Path\n"
        "from types import SimpleNamespace as Named\n"
        "from lerobot_grasp_plugin.commands import session_end\n"
        "session_end.changed_episodes = lambda *arguments: []\n"
        f"report = Named(root=Path({str(root)!r}), repo_id={REPO!r}, annotations=None, failure=None)\n"
        "print(session_end.finish(None, report, None, True, True))\n"
    )
    environment = {**os.environ, **hub.environment("hf_writes"), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Published {REPO} at {hub.address}/datasets/{REPO}\nTrue\n")
    assert hub.repos[REPO].private
    assert on_hub(hub) == on_disk(root)
    commits = len(hub.repos[REPO].commits)
    (root / "meta/grasp_recording.json").write_text("{}")
    again = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "[other-dataset]" in again.stderr  # nothing says that it is an earlier version
    assert f"lerobot-grasp-publish --repo_id {REPO} --root {root}" in again.stderr
    assert len(hub.repos[REPO].commits) == commits
