"""Words to the person who trains, each once: on the logger `epochcast`, which prints warnings to stderr by default."""

import logging

logger = logging.getLogger("epochcast")


class Notices:
    """Says each kind of thing once, so that a server that is away does not fill the training's output."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, kind: str, text: str) -> None:
        """Never raises. `kind` is one of a few words of this package, so what is remembered is bounded."""
        if kind in self._said:
            return
        self._said.add(kind)
        try:
            logger.warning("epochcast: %s", text)
        except Exception:  # a handler of the training's own
            pass

    def forget(self, kind: str) -> None:
        """Lets it be said again, once it was over."""
        self._said.discard(kind)


def words_of(error: BaseException) -> str:
    """An error as text, whatever its `__str__` does."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    name = type(error).__name__
    return f"{name}: {text[:500]}" if text else name
