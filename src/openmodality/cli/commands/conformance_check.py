"""``openmodality conformance check``: examines a peer, and predicts from statements what will fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.peer import add_calling, is_direct, load_site_of_peer, make_notes, refuse_tls_options
from openmodality.cli.terminal.progress import StatusLine
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.cli.terminal.values import existing_file, parse_integer, parse_number
from openmodality.errors import UsageError
from openmodality.network.entity import DEFAULT_AE_TITLE, LocalAE, RemoteAE, normalize_ae_title
from openmodality.value_class import replace

if TYPE_CHECKING:
    import ssl

    from openmodality.activities.ends import Ends
    from openmodality.conformance.as_json import StatementJson
    from openmodality.conformance.doctor.advice import AdvisedDevice
    from openmodality.conformance.doctor.doctor import PeerProfile
    from openmodality.conformance.doctor.examination import Examination
    from openmodality.conformance.predicting import Prediction
    from openmodality.standard.statuses import ServiceName

REPORT_PORT: Final = 11119
"""Where results of commitment are taken without a site file; the virtual hospital finds OPENMODALITY there."""
_LONGEST_PATIENCE_S: Final = 10.0
_JSON: Final = ".json"


def declare_peer_check(parser: Parser) -> None:
    """Declare what the command takes."""
    parser.add_argument("words", metavar="PEER", nargs="*", default=[])
    parser.add_argument(
        "--write",
        dest="writes",
        action="store_true",
        help="Also try what leaves something at PEER: images, a performed step, a film, all of a test patient.",
    )
    parser.add_argument(
        "--compare",
        metavar="A.json",
        type=existing_file,
        action="append",
        default=[],
        help="Say what will fail between A.json and PEER, or A.json and the B.json that follow. May be repeated.",
    )
    parser.add_argument(
        "--port",
        metavar="INTEGER",
        type=parse_integer(0, 65535),
        help="Where results of storage commitment are taken, with --write; 0: nowhere."
        f"  [default: the site's for a peer of the site file, else {REPORT_PORT}]",
    )
    add_site(parser)
    add_calling(parser)
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=parse_number(0.1, _LONGEST_PATIENCE_S),
        help="How long to wait for the peer at each step.  [default: 5]",
    )
    add_tls(parser)
    add_json(parser)


def run_peer_check(
    words: tuple[str, ...],
    writes: bool,
    compare: tuple[Path, ...],
    port: int | None,
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    as_json: bool,
) -> int:
    """Examine PEER from the outside: what it offers, how it behaves, and what a device should know of it.

    PEER is AETITLE@host:port, or a peer's name in the site file. Its SOP classes, transfer syntaxes, PDU lengths,
    roles, AE titles, keys and character sets are probed, and lines for the site file come out. It takes less than a
    minute. Nothing is written to PEER without --write; what was written is listed at the end.

    With --compare A.json B.json, both written by 'openmodality conformance print --format json', it says what will fail
    between two devices, and needs no PEER.

    Exit status 0 when nothing fails, 1 when something does or PEER cannot be reached.
    """
    from openmodality.conformance.as_json import read_statement_file  # noqa: PLC0415 - start-up time

    peer, files = _sort_words(words, compare)
    statements = [read_statement_file(file) for file in files]
    profile = None
    if peer:
        way = _find_way(peer, site_file, calling, tls)
        profile = _examine(way, writes, way.report_port if port is None else port, timeout)
    predictions = _predict(statements, peer, profile)
    _show(peer, profile, predictions if files else None, as_json=as_json)
    has_failure = bool(profile and profile.problems) or any(each.fails for each in predictions)
    return 1 if has_failure else 0


def _sort_words(words: Sequence[str], compare: Sequence[Path]) -> tuple[str, list[Path]]:
    """The peer, and the statements: with --compare, words that end in .json are some too."""
    files = list(compare)
    others = []
    for word in words:
        if compare and word.lower().endswith(_JSON):
            files.append(_check_file(word))
        else:
            others.append(word)
    if len(others) > 1:
        raise UsageError(f"one PEER is examined at a time, and not {' and '.join(others)}")
    if not others and not files:
        raise UsageError("PEER is missing", advice="see 'openmodality conformance check --help'")
    if not others and len(files) == 1:
        raise UsageError("--compare needs a PEER or a second statement to compare with")
    return (others[0] if others else ""), files


def _check_file(word: str) -> Path:
    if not Path(word).is_file():
        raise UsageError(f"--compare: file {word!r} does not exist")
    return Path(word)


class _Way:
    """How a peer is reached, where reports come in, perhaps under TLS, and for whom the advice is."""

    def __init__(
        self,
        ends_of: Callable[[ServiceName], Ends],
        report_port: int,
        device: AdvisedDevice,
        report_context: ssl.SSLContext | None = None,
    ) -> None:
        self.ends_of = ends_of
        self.report_port = report_port
        self.device = device
        self.report_context = report_context


def _find_way(peer: str, site_file: str, calling: str | None, tls: ssl.SSLContext | None) -> _Way:
    from openmodality.activities.ends import Ends  # noqa: PLC0415 - start-up time
    from openmodality.conformance.doctor.advice import AdvisedDevice  # noqa: PLC0415 - start-up time

    if is_direct(peer):
        title = normalize_ae_title(calling) if calling is not None else DEFAULT_AE_TITLE
        ends = Ends(replace(RemoteAE.parse(peer), ssl_context=tls), LocalAE(title))
        return _Way(lambda service: ends, REPORT_PORT, AdvisedDevice())
    if tls is not None:
        refuse_tls_options(peer)
    return _find_way_of_site(peer, site_file, calling)


def _find_way_of_site(name: str, site_file: str, calling: str | None) -> _Way:
    site = load_site_of_peer(name, site_file)
    from openmodality.app.peer_check import find_checked_peer  # noqa: PLC0415 - start-up time

    checked = find_checked_peer(site, name, lambda service: make_notes(site, service, name))

    def make_ends(service: ServiceName) -> Ends:
        ends = checked.make_ends(service)
        if calling is None:
            return ends
        return replace(ends, local=replace(ends.local, ae_title=normalize_ae_title(calling)))

    return _Way(make_ends, checked.report_port, checked.device, checked.make_report_context())


def _examine(way: _Way, writes: bool, port: int, timeout_s: float | None) -> PeerProfile:
    from openmodality.conformance.doctor.doctor import examine  # noqa: PLC0415 - start-up time
    from openmodality.conformance.doctor.examination import STEP_PATIENCE_S, Examination  # noqa: PLC0415 - start-up time

    line = StatusLine()
    patience_s = STEP_PATIENCE_S if timeout_s is None else timeout_s
    examination = Examination(
        way.ends_of, writes=writes, patience_s=patience_s, tell=line.show, report_context=way.report_context
    )
    try:
        return examine(examination, report_port=port, device=way.device, now=datetime.now)
    except KeyboardInterrupt:
        _tell_written(examination)
        raise
    finally:
        line.clear()


def _tell_written(examination: Examination) -> None:
    """Say on stderr what an examination that is interrupted has left at the peer."""
    from openmodality.cli.display.peer_check import format_written  # noqa: PLC0415 - start-up time

    for line in format_written(examination.written) if examination.written else ():
        say(line)


def _predict(statements: Sequence[StatementJson], peer: str, profile: PeerProfile | None) -> list[Prediction]:
    from openmodality.conformance.predicting import ExaminedPeer, predict, predict_with_peer  # noqa: PLC0415 - likewise

    found: list[Prediction] = []
    if statements and profile is not None:
        offered = {each.sop_class_uid: each.transfer_syntaxes if each.is_accepted else () for each in profile.offered}
        sets = profile.facts.get("worklist_character_sets")
        declared = [str(term) for term in sets] if isinstance(sets, list) else []
        found += predict_with_peer(statements[0], ExaminedPeer(peer, offered, profile.keys, declared))
    for other in statements[1:]:
        found += predict(statements[0], other)
    return found


def _show(peer: str, profile: PeerProfile | None, predictions: Sequence[Prediction] | None, *, as_json: bool) -> None:
    """Print what came out; ``predictions`` are ``None`` where no statement was given."""
    if as_json:
        from openmodality.app.records.peer_check import findings_as_json, peer_profile_as_json  # noqa: PLC0415 - start-up time

        print_document(findings_as_json(profile), **peer_profile_as_json(peer, profile, predictions or ()))
        return
    from openmodality.cli.display.peer_check import format_predictions, format_profile  # noqa: PLC0415 - start-up time

    if profile is not None:
        print("\n".join(format_profile(peer, profile)))
    if predictions is not None:
        print("\n".join((*([""] if profile else []), *format_predictions(predictions))))
