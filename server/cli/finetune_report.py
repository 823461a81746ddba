"""Shows the result of fine-tuning: a table and a sentence."""

from rich.table import Table

from ..training.finetune import FinetuneResult, Measured
from .console import results


def show_finetune(result: FinetuneResult, start: str, name: str) -> None:
    """Figures before and after on the held-out images, and whether the difference is more than chance."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("", "accuracy (95 % interval)", "calibration error"):
        table.add_column(heading)
    table.add_row(f"before: {start}", *_figures(result.before))
    table.add_row(f"after: {name}", *_figures(result.after), style="bold")
    results.print(
        f"Trained on {result.learned_from:,} images, measured on {result.images:,} others. "
        f"Labels: {', '.join(result.labels)}.\n",
        soft_wrap=True,
    )
    results.print(table)
    if result.read_as:
        read = ", ".join(f"{word} as {label}" for word, label in result.read_as.items())
        results.print(
            f"\n{start} does not know these labels. Before, its own labels counted as: {read}.",
            soft_wrap=True,
        )
    results.print(f"\n{verdict(result)}", soft_wrap=True)


def is_worth_using(result: FinetuneResult) -> bool:
    """Whether it is better than what it started from, or the only one to know its labels."""
    return result.paired.verdict == "better" or (bool(result.read_as) and result.paired.verdict != "worse")


def verdict(result: FinetuneResult) -> str:
    """Whether it helped, in a sentence or two."""
    paired = result.paired
    if result.strength is None and not result.read_as:
        return "It did not help: in cross-validation no change was better than none, so nothing changed."
    counts = (
        f"of {result.images} images, {paired.gained} are now right that were wrong, and {paired.lost} wrong "
        f"that were right (McNemar's p = {paired.p_value:.2g})"
    )
    match paired.verdict:
        case "better":
            return f"[green]It helped[/]: {counts}."
        case "worse":
            return f"[red]It did harm[/]: {counts}. Do not use it."
        case _ if paired.gained <= paired.lost:
            return f"[yellow]It did not help[/]: {counts}, which may be chance. Keep the model that you have."
        case _:
            return f"[yellow]Whether it helped cannot be told[/]: {counts}. Add images."


def _figures(side: Measured) -> tuple[str, str]:
    accuracy = side.accuracy
    return (
        f"{accuracy.value:.1%} ({accuracy.low:.0%} to {accuracy.high:.0%})",
        f"{side.calibration_error:.3f}",
    )
