"""An hour of six made faces at ten answers a second, through the page's own recorder, timeline and exports.

    python -m bench.dashboard_hour [--minutes 60]

The clock is simulated, so that an hour takes a few minutes; everything else is real: Chromium, IndexedDB, the
chart. Heap is what V8 and the page's buffers hold after a collection.
"""

import argparse
import statistics
from pathlib import Path

from playwright.sync_api import CDPSession, sync_playwright

from bench.page_worker import vite_server
from tests.e2e.browser import launched

_SCRIPT = Path(__file__).with_suffix(".js")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--port", type=int, default=5199)
    parser.add_argument("--screenshot", type=Path)
    options = parser.parse_args()
    # With React as visitors get it: its development build takes several times as long to draw.
    with vite_server(options.port, NODE_ENV="production") as url:
        _measure(url, options.minutes, options.screenshot)


def _measure(url: str, minutes: int, screenshot: Path | None) -> None:
    with sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.on("pageerror", lambda error: print("page:", error))
        # Any file of the server's will do: the page itself would start the camera.
        page.goto(f"{url}/favicon.svg")
        page.goto(f"{url}/src/i18n/en.json?raw")
        page.set_content("<!doctype html><meta charset=utf-8><body></body>")
        page.add_script_tag(content=_SCRIPT.read_text(), type="module")
        page.wait_for_function("document.title === 'ready'", timeout=120_000)
        cdp = page.context.new_cdp_session(page)
        page.evaluate("bench.takeLongTasks()")
        heaps: dict[int, float] = {}
        long_tasks: list[float] = []
        for minute in range(1, minutes + 1):
            page.evaluate("bench.minutes(1)")
            long_tasks += page.evaluate("bench.takeLongTasks()")
            if minute % 5 == 0 or minute == 1:
                heaps[minute] = _heap_mb(cdp)
                print(f"minute {minute:3}: heap {heaps[minute]:6.1f} MB", flush=True)
        if screenshot is not None:
            page.screenshot(path=screenshot)
        redraws = sorted(page.evaluate("bench.redraws()"))
        print(
            f"redraws: {len(redraws)}, median {statistics.median(redraws):.1f} ms,"
            f" longest {redraws[-1]:.1f} ms"
        )
        print(
            f"tasks over 50 ms while feeding and drawing: {len(long_tasks)}"
            f" {[round(task) for task in long_tasks][:20]}"
        )
        later = [heap for minute, heap in heaps.items() if minute >= 5]
        print(
            f"heap after minute 5: {min(later):.1f} to {max(later):.1f} MB,"
            f" last / fifth {later[-1] / later[0]:.3f}"
        )
        for form in ("csv", "jsonl", "csv_long", "parquet"):
            before = _heap_mb(cdp)
            figures = page.evaluate("format => bench.export(format)", form)
            print(f"{form}: {figures}, heap {before:.1f} -> {_heap_mb(cdp):.1f} MB")


def _heap_mb(cdp: CDPSession) -> float:
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    usage = cdp.send("Runtime.getHeapUsage")
    return (
        sum(usage.get(part, 0) for part in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")) / 1e6
    )


if __name__ == "__main__":
    main()
