"""Publishes a finished dataset: one commit makes its repository on the Hub equal to its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lerobot_grasp_plugin.dataset import layout
from lerobot_grasp_plugin.dataset.extracted import is_extracted
from lerobot_grasp_plugin.dataset.hub import check_repo_id, is_offline
from lerobot_grasp_plugin.dataset.provenance import read_provenance
from lerobot_grasp_plugin.findings.problem import Problem, UsageError
from lerobot_grasp_plugin.findings.words import count

if TYPE_CHECKING:
    from huggingface_hub import HfApi

KEPT = frozenset({".gitattributes"})
"""Files of a repository that a publication does not change."""

_NOTHING = KEPT | {"README.md"}
"""Files that a repository without a dataset may contain."""

_WORKING_FOLDERS = frozenset({".git", ".cache"})


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A dataset on its way to the Hub.

    Attributes:
        repo_id: Its name there, ``owner/name``.
        sources: Names of its source datasets, by its sidecar; a repository of the same name with one of them
            as a source is an earlier version.
        private: Whether a new repository is private.
        replace: Whether a repository with another dataset may be replaced.
    """

    repo_id: str
    sources: Sequence[str]
    private: bool = False
    replace: bool = False


@dataclass(frozen=True)
class Repository:
    """A repository as the Hub shows it.

    Attributes:
        commit: The commit of its main branch; None without commits.
        files: Paths of its files.
    """

    commit: str | None
    files: frozenset[str]


def check(publication: Publication) -> Repository | None:
    """Asks the Hub whether a dataset can be published, before it is built.

    Returns:
        The repository; None if it does not exist yet.

    Raises:
        UsageError: With all problems: the name, the account, a repository with another dataset or a public
            one, or a Hub that does not answer.
    """
    repo_id = publication.repo_id
    check_repo_id(repo_id)
    if "/" not in repo_id:
        message = f"the Hub needs an owner in the name, but {repo_id!r} has none"
        raise UsageError(Problem("no-owner", message, hint=f"name it owner/{repo_id}"))
    if is_offline():
        message = "publishing is not possible while HF_HUB_OFFLINE is set"
        raise UsageError(Problem("publish-refused", message, repo_id, "unset HF_HUB_OFFLINE"))
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    api = HfApi()
    with _answers(repo_id, "the Hub does not allow it", "log in with: hf auth login"):
        problems = [*_account_problems(api.whoami(), repo_id)]
        try:
            info = api.dataset_info(repo_id)
        except RepositoryNotFoundError:
            repository = None
        else:
            repository = Repository(info.sha, frozenset(_files(api, repo_id, info.sha)))
            if publication.private and not info.private:
                message = "the repository is public, but --private only applies to new repositories"
                hint = f"make it private first: hf repos settings {repo_id} --private --repo-type dataset"
                problems.append(Problem("repository-is-public", message, repo_id, hint))
            if not publication.replace:
                problems += _other_dataset(api, publication, repository)
    if problems:
        raise UsageError(problems)
    return repository


def publish(publication: Publication, root: Path, again: str) -> str:
    """Uploads a dataset in one commit and tags it with its format's version, as LeRobot does.

    The same commit deletes files of the repository that the folder does not have, so that readers never see
    a mixture of two versions. The folder is only read.

    Args:
        publication: Name and options.
        root: The dataset's folder.
        again: The command that publishes this folder, for the hint of an error.

    Returns:
        The dataset's address.

    Raises:
        UsageError: The Hub refuses it. Then nothing of it is visible, or only the tag is missing.
    """
    try:
        repository = check(publication)
    except UsageError as error:
        hint = f"the dataset is complete at {root}; publish it with: {again}"
        raise UsageError(
            [*error.problems, Problem("not-published", "nothing was uploaded", hint=hint)]
        ) from None
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    api, repo_id = HfApi(), publication.repo_id
    hint = f"the dataset is complete at {root}; publish it again with: {again}"
    files = _published(root)
    with _answers(repo_id, "the dataset was not published", hint):
        if repository is None:
            api.create_repo(repo_id, repo_type="dataset", private=publication.private or None)
            sha = api.dataset_info(repo_id).sha
            repository = Repository(sha, frozenset(_files(api, repo_id, sha)))
        stale = repository.files - files.keys() - KEPT
        commit = api.create_commit(
            repo_id,
            repo_type="dataset",
            operations=[
                *(CommitOperationDelete(path, is_folder=False) for path in sorted(stale)),
                *(CommitOperationAdd(path, file) for path, file in files.items()),
            ],
            commit_message="Upload dataset with lerobot_grasp_plugin",
            parent_commit=repository.commit,
        )
        with suppress(RevisionNotFoundError):
            api.delete_tag(repo_id, tag=layout.CODEBASE_VERSION, repo_type="dataset")
        api.create_tag(repo_id, tag=layout.CODEBASE_VERSION, revision=commit.oid, repo_type="dataset")
    return f"{api.endpoint}/datasets/{repo_id}"


def sources_of(root: Path) -> list[str]:
    """Names of the source datasets of a folder's dataset; empty if unknown."""
    return read_provenance(root).names


def _published(root: Path) -> Mapping[str, Path]:
    """Path in the repository -> file of a dataset's folder.

    It leaves out the temporary images of a recording (``images/``), as LeRobot does, and the images that
    lerobot-grasp-frames extracted.

    Raises:
        DatasetError: A link leads outside the folder.
    """
    layout.check_links(root, "")
    files = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {
        place.as_posix(): path
        for place, path in files.items()
        if place.parts[0] != "images"
        and not _WORKING_FOLDERS & {*place.parts}
        and place.as_posix() not in KEPT
        and not is_extracted(path)
    }


def _files(api: HfApi, repo_id: str, commit: str | None) -> Iterator[str]:
    from huggingface_hub.hf_api import RepoFile

    if commit is not None:
        for entry in api.list_repo_tree(repo_id, recursive=True, revision=commit, repo_type="dataset"):
            if isinstance(entry, RepoFile):
                yield entry.path


def _account_problems(account: Mapping[str, Any], repo_id: str) -> Iterator[Problem]:
    """Checks whether the token's account can write to the owner's datasets, as far as known."""
    owner = repo_id.partition("/")[0]
    owners = [account["name"], *(org["name"] for org in account.get("orgs", ()))]
    if owner not in owners:
        message = f"the account {owners[0]!r} cannot write datasets of {owner!r}"
        yield Problem("publish-refused", message, repo_id, f"owners it can write for: {', '.join(owners)}")
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        hint = "create a token with write permission and log in with it: hf auth login"
        yield Problem("publish-refused", "the access token is read-only", repo_id, hint)


def _other_dataset(api: HfApi, publication: Publication, repository: Repository) -> Iterator[Problem]:
    """Checks whether a repository contains anything but an earlier version of a dataset."""
    if repository.files <= _NOTHING:
        return
    hint = "choose another --new_repo_id, or replace it with --replace"
    where = publication.repo_id
    if layout.INFO_PATH not in repository.files:
        number = len(repository.files - _NOTHING)
        message = f"the repository contains {count(number, 'file')} but not a LeRobot dataset"
        yield Problem("other-dataset", message, where, hint)
        return
    if layout.PROVENANCE_PATH not in repository.files:
        message = (
            f"the repository contains a dataset without {layout.PROVENANCE_PATH}, that is, not an "
            "earlier version"
        )
        yield Problem("other-dataset", message, where, hint)
        return
    with TemporaryDirectory() as folder:
        api.hf_hub_download(
            publication.repo_id,
            layout.PROVENANCE_PATH,
            repo_type="dataset",
            revision=repository.commit,
            local_dir=folder,
        )
        sidecar = read_provenance(Path(folder))
    there = sidecar.names
    if not {*_bare(there)} & {*_bare(publication.sources)}:
        message = (
            f"the repository contains a dataset made from {_listed(there)}, but this one is made from "
            f"{_listed(publication.sources)}"
        )
        yield Problem("other-dataset", message, where, hint)
        return
    name = sidecar.made_as or there[0]
    if name != publication.repo_id:
        message = f"the repository contains a dataset that was made as {name}, not as {publication.repo_id}"
        yield Problem("other-dataset", message, where, hint)


def _bare(names: Iterable[str]) -> Iterator[str]:
    """Names without owners, because a source given by its folder has none."""
    return (name.rpartition("/")[2] for name in names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "unknown sources"


@contextmanager
def _answers(repo_id: str, message: str, hint: str) -> Iterator[None]:
    """Turns errors of the Hub or the connection into an error of the call.

    Raises:
        UsageError: The Hub refused, or could not be reached.
    """
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except (
        HfHubHTTPError,
        OfflineModeIsEnabled,
        httpx.HTTPError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        problem = Problem("publish-failed", f"{message}: {_reason(error)}", repo_id, hint)
        raise UsageError(problem) from None


def _reason(error: BaseException) -> str:
    """An error's text in one line; for a wrapper, that of the wrapped error."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        return _reason(error.__cause__)
    if isinstance(error, HfHubHTTPError) and error.server_message:
        status = f"{error.response.status_code} " if error.response is not None else ""
        return f"{status}{error.server_message.splitlines()[0]}"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
