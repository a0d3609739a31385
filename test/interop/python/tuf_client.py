"""Update from a TUF repository and fetch a target with python-tuf: tuf_client.py REPO STATE TARGET.

REPO is a folder with root.json, metadata/ and the targets; STATE is kept from run to run, as a
client's is, and trusts REPO/root.json when it is new.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig


class FolderFetcher(FetcherInterface):
    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield Path(unquote(urlparse(url).path)).read_bytes()
        except FileNotFoundError as error:
            raise DownloadHTTPError("not found", 404) from error


def main() -> None:
    repo, state = (os.path.abspath(path) for path in sys.argv[1:3])
    target = sys.argv[3]
    os.makedirs(state, exist_ok=True)
    is_new = not os.path.exists(os.path.join(state, "root.json"))
    updater = Updater(
        metadata_dir=state,
        metadata_base_url=f"file://{repo}/metadata/",
        target_dir=state,
        target_base_url=f"file://{repo}/",
        fetcher=FolderFetcher(),
        config=UpdaterConfig(prefix_targets_with_hash=False),
        bootstrap=Path(repo, "root.json").read_bytes() if is_new else None,
    )
    updater.refresh()
    info = updater.get_targetinfo(target)
    if info is None:
        sys.exit("no such target")
    path = os.path.join(state, "target")
    updater.download_target(info, path)
    print("OK", os.path.getsize(path))


main()
