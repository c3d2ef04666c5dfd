"""`python -m epochcast sync DIR`: sends what trainings could not."""

import argparse
import os
import sys

from .notice import Notices, words_of
from .outbox import Outbox, SpoolFile, SpoolInUse
from .sender import Sender
from .server import Server
from .settings import BadSetting, endpoint


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m epochcast", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sync = commands.add_parser("sync", help="sends the reports that trainings left in a directory")
    sync.add_argument("directory", help="what EPOCHCAST_SPOOL_DIR was")
    sync.add_argument(
        "--url",
        help="another server than the one that each file names, as EPOCHCAST_URL is not looked at; EPOCHCAST_TOKEN is the token",
    )
    arguments = parser.parse_args()
    try:
        names = sorted(name for name in os.listdir(arguments.directory) if name.endswith(".epochcast"))
        url = endpoint(arguments.url) if arguments.url else None
    except (OSError, BadSetting) as error:
        print(f"epochcast: {error}", file=sys.stderr)
        return 2
    results = [_sync(os.path.join(arguments.directory, name), url) for name in names]
    print(f"{sum(results)} of {len(results)} files sent")
    return 0 if all(results) else 1


def _sync(path: str, url: str | None) -> bool:
    try:
        spool = SpoolFile(path, None)
    except SpoolInUse:
        print(f"{path}: its training is still running, and sends it by itself", file=sys.stderr)
        return False
    except (OSError, ValueError) as error:
        print(f"{path}: {words_of(error)}", file=sys.stderr)
        return False
    try:
        before = spool.delivered
        target = url or spool.header["url"]
        outbox = Outbox(spool)
        sender = Sender(Server(target, os.environ.get("EPOCHCAST_TOKEN")), outbox, Notices(), spool.header)
        done = sender.deliver() and outbox.spool_error is None
        more = "" if done else f", not all ({_problem(sender, outbox, target)})"
        print(f"{path}: {outbox.delivered - before} reports sent{more}")
    except Exception as error:
        print(f"{path}: {words_of(error)}", file=sys.stderr)
        spool.close()
        return False
    spool.close(remove=done, aside=sender.is_over)
    return done


def _problem(sender: Sender, outbox: Outbox, url: str) -> str:
    if outbox.spool_error is not None:
        return f"the file: {words_of(outbox.spool_error)}"
    aside = "; the file is put aside as .refused" if sender.is_over else ""
    return f"{url}: {sender.problem}{aside}"


if __name__ == "__main__":
    sys.exit(main())
