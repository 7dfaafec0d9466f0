"""
Sound spoken lately is remembered, within limits.
"""

from hypothesis import given
from hypothesis import strategies as st

from outdial.adapters.speech.recent import BYTES_MAX, TEXTS_MAX, Recent
from outdial.ports.carrier import Audio

SHORT = Audio(pcm=bytes(2))


def test_kept_sound_is_found() -> None:
    """A text's sound is found again, an unknown text's is not."""
    recent = Recent()

    recent.keep("Hello.", SHORT)

    assert recent.find("Hello.") is SHORT
    assert recent.find("Goodbye.") is None


def test_longest_unused_is_forgotten() -> None:
    """Of more texts than are kept the one that was not asked for longest goes."""
    recent = Recent()
    for index in range(TEXTS_MAX):
        recent.keep(str(index), SHORT)
    recent.find("0")

    recent.keep("one more", SHORT)

    assert recent.find("0") is SHORT
    assert recent.find("1") is None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, BYTES_MAX))))
def test_memory_is_bounded(kept: list[tuple[str, int]]) -> None:
    """However much is spoken, what is remembered stays below its limit."""
    recent = Recent()
    sounds = {size: Audio(pcm=bytes(size)) for _, size in kept[:8]}

    for text, size in kept[:8]:
        recent.keep(text, sounds[size])

    found = [audio for text in "abcdef" if (audio := recent.find(text))]
    assert sum(len(audio.pcm) for audio in found) <= BYTES_MAX
    assert not kept or found
