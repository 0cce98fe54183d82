"""How streams are changed: nodes of their trees, then bytes of the result. All by one seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from fuzz.tree import Edit, Node

_INTERESTING: Final = (
    0, 1, 2, 3, 4, 5, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0xFFFE, 0xFFFF, 0x10000, 0x100000, 0x100001,
    0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip
_LONGEST_NOISE: Final = 600
_LONGEST_STREAM: Final = 256 * 1024


class Mutator:
    """Makes streams of one kind from seeds of that kind."""

    def __init__(self, seeds: Sequence[Node]) -> None:
        self.seeds = seeds
        self._nodes = [list(seed.nodes()) for seed in seeds]

    def stream(self, rng: Random) -> bytes:
        """The next stream."""
        if rng.random() < 0.03:
            return rng.randbytes(rng.randrange(_LONGEST_NOISE))
        number = rng.randrange(len(self.seeds))
        edits: dict[int, Edit] = {}
        if rng.random() < 0.9:
            for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
                edits[id(rng.choice(self._nodes[number]))] = self._edit(rng)
        data = self.seeds[number].encode(edits)
        if not edits or rng.random() < 0.25:
            data = noisy(data, rng)
        return data[:_LONGEST_STREAM]

    def _edit(self, rng: Random) -> Edit:
        kind = rng.choice(_EDITS)
        if kind is _replace:
            other = rng.choice(self._nodes[rng.randrange(len(self._nodes))])
            return lambda node, content: other.encode()
        return lambda node, content: kind(node, content, rng)


def noisy(data: bytes, rng: Random) -> bytes:
    """A few bytes changed, cut out, put in or cut off."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(changed) + 1)
        rng.choice(_NOISES)(changed, place, rng)
    return bytes(changed)


def _flip(data: bytearray, place: int, rng: Random) -> None:
    if place < len(data):
        data[place] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, place: int, rng: Random) -> None:
    width = rng.choice((1, 2, 4))
    value = rng.choice(_INTERESTING) % (1 << 8 * width)
    data[place : place + width] = value.to_bytes(width, rng.choice(("big", "little")))


def _insert(data: bytearray, place: int, rng: Random) -> None:
    data[place:place] = rng.randbytes(rng.randrange(1, 16))


def _cut_out(data: bytearray, place: int, rng: Random) -> None:
    del data[place : place + rng.randrange(1, 32)]


def _cut_off(data: bytearray, place: int, rng: Random) -> None:
    del data[place:]


def _again(data: bytearray, place: int, rng: Random) -> None:
    data[place:place] = data[place : place + rng.randrange(1, 64)]


_NOISES: Final = (_flip, _flip, _overwrite, _overwrite, _insert, _cut_out, _cut_off, _again)


def _drop(node: Node, content: bytes, rng: Random) -> bytes:
    return b""


def _repeat(node: Node, content: bytes, rng: Random) -> bytes:
    return node.framed(content) * rng.choice((2, 2, 3, 40))


def _wrong_length(node: Node, content: bytes, rng: Random) -> bytes:
    length = rng.choice((len(content) + rng.randrange(-9, 9), rng.choice(_INTERESTING)))
    return node.framed(content, length)


def _other_head(node: Node, content: bytes, rng: Random) -> bytes:
    if not node.head:
        return _other_content(node, content, rng)
    head = bytearray(node.head)
    head[rng.randrange(len(head))] = rng.choice((rng.randrange(256), rng.randrange(0x60)))
    return bytes(head) + node.framed(content)[len(head) :]


def _other_content(node: Node, content: bytes, rng: Random) -> bytes:
    return node.framed(noisy(content, rng))


def _noise(node: Node, content: bytes, rng: Random) -> bytes:
    return node.framed(rng.randbytes(rng.choice((0, 1, len(content), rng.randrange(_LONGEST_NOISE)))))


def _longer(node: Node, content: bytes, rng: Random) -> bytes:
    return node.framed(content * rng.choice((2, 16, 200)))


def _cut(node: Node, content: bytes, rng: Random) -> bytes:
    kept = content[: rng.randrange(len(content) + 1)]
    return node.framed(kept, rng.choice((None, len(content))))


def _shuffle(node: Node, content: bytes, rng: Random) -> bytes:
    if isinstance(node.content, bytes):
        return _flags(node, content, rng)
    parts = [child.encode() for child in node.content]
    rng.shuffle(parts)
    return node.framed(b"".join(parts))


def _flags(node: Node, content: bytes, rng: Random) -> bytes:
    """One bit of the first bytes: context id and message control header of a PDV, VR or result of others."""
    changed = bytearray(content)
    if changed:
        changed[rng.randrange(min(len(changed), 2))] ^= 1 << rng.randrange(3)
    return node.framed(bytes(changed))


def _split(node: Node, content: bytes, rng: Random) -> bytes:
    """A presentation data value in several, in one PDU; another node becomes two halves."""
    if node.kind != "PDV" or len(content) < 4:
        half = rng.randrange(len(content) + 1)
        return node.framed(content[:half]) + node.framed(content[half:])
    context, control, fragment = content[:1], content[1], content[2:]
    size = rng.choice((1, 2, 7, 64))
    size = max(size, len(fragment) // 200 + 1)
    places = range(0, max(len(fragment), 1), size)
    values = []
    for place in places:
        last = place + size >= len(fragment)
        values.append(node.framed(context + bytes((control & (3 if last else 1),)) + fragment[place : place + size]))
    if rng.random() < 0.3:
        values.insert(rng.randrange(len(values)), node.framed(context + bytes((control & 1,))))
    return b"".join(values)


def _replace(node: Node, content: bytes, rng: Random) -> bytes:
    return node.framed(content)


_EDITS: Final[tuple[Callable[[Node, bytes, Random], bytes], ...]] = (
    _drop, _repeat, _wrong_length, _wrong_length, _other_head, _other_head, _other_content, _other_content, _noise,
    _longer, _cut, _shuffle, _flags, _flags, _split, _replace, _replace,
)  # fmt: skip
