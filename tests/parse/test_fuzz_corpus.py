"""What the fuzzer found interesting, and every input that once broke something, read again each time."""

import pytest

from tests.fuzz.inputs import CORPUS, HOSTILE, check


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_both_paths_agree_on_pieces_that_are_known_to_hurt(number: int) -> None:
    check(HOSTILE[number])


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.glob("*.bin")))
def test_both_paths_agree_on_what_the_fuzzer_kept(name: str) -> None:
    check((CORPUS / name).read_bytes())
