"""Downloads files from Google Drive and URLs with gdown: resumed, checked, and in place only if complete."""

from collections.abc import Callable
from pathlib import Path

import gdown
import requests
from gdown.exceptions import DownloadError, FileURLRetrievalError

from ..exceptions import WeightsError
from ..files import sha256_of

_RETRIES = 4
#: Seconds to wait for a connection, and for the next bytes.
_TIMEOUT_S = (15.0, 60.0)
_HTML_STARTS = (b"<!doctype", b"<html")

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all if known


def download(
    *,
    drive: str | None = None,
    url: str | None = None,
    to: Path,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> str:
    """Downloads a file from Google Drive (by its id) or a URL and returns its SHA-256 in hexadecimal.

    The next call resumes an interrupted download. ``to`` appears only when the file is complete. Raises
    WeightsError that says what to do if the file is not available, is a web page, or has another hash than
    ``sha256``.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    # Not ``replacing``: a partial download must stay for the next call to resume.
    fetched = to.with_name(to.name + ".download")
    try:
        gdown.download(
            url=url,
            id=drive,
            output=str(fetched),
            quiet=True,
            use_cookies=False,
            resume=True,
            retries=_RETRIES,
            timeout=_TIMEOUT_S,
            progress=progress,
        )
    except FileURLRetrievalError as error:
        raise WeightsError(
            f"Google Drive does not give out file {drive} now: too many people may have fetched it today, or "
            f"it is no longer public. Try again tomorrow, or download "
            f"https://drive.google.com/file/d/{drive}/view in a browser and use `emostream weights import`"
        ) from error
    except (DownloadError, requests.exceptions.RequestException) as error:
        if isinstance(error.__cause__ or error, requests.exceptions.ConnectionError):
            raise WeightsError(
                f"there is no connection to {url or 'Google Drive'}: is the network up?"
            ) from error
        raise WeightsError(
            f"the download broke off: {error}. Run the command again; it goes on where it stopped"
        ) from error

    with fetched.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith(_HTML_STARTS):
        fetched.unlink()
        raise WeightsError(f"{url or 'Google Drive'} sent a web page instead of a file")
    found = sha256_of(fetched)
    if sha256 is not None and found != sha256:
        fetched.unlink()
        raise WeightsError(f"the file is not the expected one: its SHA-256 is {found}, and not {sha256}")
    fetched.replace(to)
    return found
