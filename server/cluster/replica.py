"""One replica: the recogniser of one process with its batcher, for the frames of all gateways."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from ..analysis.finder import EncodedSearch, FaceFinder, FoundFaces, MissingDetector, load_finder
from ..exceptions import EmostreamError, ModelError, ReplicaError
from ..imaging.decoding import grey_file
from ..inference import Recognizer
from ..inference.fair_queue import LaneMode
from ..inference.frame_batcher import Prepared
from ..inference.served_model import ServedModel
from ..loading import create_batcher, load_recognizer
from ..process import configure_process, freeze_heap
from ..settings import Settings
from .messages import Call, FrameWork, Outcome, Reply

logger = logging.getLogger(__name__)

_PROBE_TIMEOUT_S = 2.0


class Replica:
    """Answers calls. Used from one event loop."""

    def __init__(
        self, recognizer: Recognizer, finder: FaceFinder | MissingDetector, settings: Settings
    ) -> None:
        self._model = ServedModel.of(recognizer)
        self._finder = finder
        self._batcher = create_batcher(recognizer, settings)

    @classmethod
    def load(cls, settings: Settings) -> "Replica":
        """With what the settings ask for, warmed up. Raises ModelError."""
        configure_process()
        recognizer = load_recognizer(settings)
        finder = load_finder(settings.faces_dir, settings.min_face_px, recognizer.input_sizes)
        freeze_heap()
        return cls(recognizer, finder, settings)

    async def compute(self, call: Call) -> Reply:
        """Answers each frame of a call by itself: one that fails costs no other. Raises nothing."""
        outcomes = await asyncio.gather(*(self._answer(work) for work in call.frames))
        fault = self._finder.reason if isinstance(self._finder, MissingDetector) else None
        return Reply(tuple(outcomes), self._model, fault)

    async def _answer(self, work: FrameWork) -> Outcome:
        # A lane for each frame: gateways know the sessions, and have taken turns already.
        lane = self._batcher.open_lane(LaneMode.ALL, 1, work.priority)
        try:
            if work.search is None:
                return None, await lane.recognize(work.images)
            prepared, predictions = await lane.recognize_prepared(self._prepared_here(work.search))
            if isinstance(prepared, FoundFaces):
                # The crops have served their purpose, and are most of the bytes.
                prepared = replace(prepared, crops=((),) * len(prepared.crops))
            return prepared, predictions
        except EmostreamError as error:
            return error
        except Exception:
            # Anything may be wrong, even with the error itself, which might not survive the journey.
            logger.exception("a frame could not be computed")
            return ReplicaError("this frame could not be computed")
        finally:
            lane.close()

    def _prepared_here(self, work: EncodedSearch | Callable[[], Prepared]) -> Callable[[], Prepared]:
        if not isinstance(work, EncodedSearch):
            return work
        assert isinstance(self._finder, FaceFinder)  # gateways know where there is none
        return replace(work, finder=self._finder)

    async def check_health(self) -> None:
        """Raises ModelError where nothing can be computed here any more, so that another replica is made."""
        if (trouble := self._batcher.trouble) is not None:
            raise ModelError(trouble)
        if self._batcher.is_failing:
            lane = self._batcher.open_lane()
            try:
                await asyncio.wait_for(lane.recognize([grey_file()]), _PROBE_TIMEOUT_S)
            except Exception as error:
                raise ModelError("the engine fails") from error
            finally:
                lane.close()

    async def aclose(self) -> None:
        """Ends the threads."""
        await self._batcher.aclose()
