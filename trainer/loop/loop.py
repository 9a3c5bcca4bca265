"""The steps of one stage: batches, updates, timed checkpoints, and roll-back after bad steps."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from schemas.errors import RunError
from trainer.data.batches import Batch, Feed
from trainer.data.corpus import Stream
from trainer.data.mixture import Mixture, data_step
from trainer.data.phases import Phases
from trainer.data.recall import beside_recall
from trainer.data.rows import RowFeed, RowFolder
from trainer.faults.bad_steps import Verdict, Watch, distrusted_from, kept
from trainer.loop import checkpoints
from trainer.loop.checkpoints import State
from trainer.loop.journal import Rollbacks, read_journal, recent_losses, rollbacks_of
from trainer.loop.profile import traced
from trainer.loop.ranks import Ranks
from trainer.loop.schedule import learning_rate
from trainer.loop.step import Stepper, StepResult
from trainer.loop.training import Training
from trainer.model.averages import is_averaged
from trainer.objectives.objective import Objective
from trainer.recipe import Recipe, StageConfig
from trainer.stages.graph import faults_of, line
from trainer.stages.jobs import AVERAGE, StageJob


class StoppedError(Exception):
    """The run was asked to stop, and has saved."""


class StageLoop:
    """Takes the steps of a stage; all ranks run it together. Use it in a `with` statement."""

    def __init__(
        self, training: Training, job: StageJob, begin: State, global_step: int, restart: Callable[[], None],
        objective: Objective,
    ) -> None:  # fmt: skip
        """`begin` is the state at the stage's first step, to which `restart` brings the model back; `global_step` is
        where the run is now."""
        self._training, self._job, self._begin, self._restart = training, job, begin, restart
        stage, ranks = job.config, training.ranks
        self._feed = make_feed(training.recipe, training.corpora, training.rows, stage, begin)
        self._faults = faults_of(training.recipe, job.number)
        self._line = line(training.recipe, job.number)
        self._loader = _Loader(self._feed, ranks)
        self._share = -(-self._feed.units // ranks.world)
        micro = max(1, training.micro_sequences(stage.seq_len) // self._feed.unit_rows)
        self._stepper = Stepper(training, min(micro, self._share), objective)
        self._saver = training.make_saver()
        self._profiled = training.recipe.local.profile
        self._saved_at = time.monotonic()
        self._stands_at: int | None = None  # the step of the checkpoint that a roll-back has loaded
        self._read_history(global_step)

    def __enter__(self) -> StageLoop:
        return self

    def __exit__(self, *_: object) -> None:
        self._loader.close()

    def _read_history(self, global_step: int) -> None:
        """Restore from the journal: roll-backs, and recent losses of this stage."""
        training, job, faults = self._training, self._job, self._faults
        found = None
        if training.ranks.is_first:
            back = rollbacks_of(read_journal(training.folder, only=("rollback",)), job.config.name, job.key)
            begin = self._begin.global_step
            found = back, recent_losses(training.folder, begin, global_step, faults.spike_window)
        self._back: Rollbacks
        self._back, recent = training.ranks.from_first(found)
        self._watch = Watch(faults, recent)

    @property
    def _skipped(self) -> frozenset[int]:
        return self._back.skipped

    def ends(self, state: State) -> dict[str, int]:
        """Return the position in each source after the stage: behind the skipped batches, too."""
        return self._feed.ends(data_step(state.step, self._skipped))

    def train(self, state: State, until: int, ends: bool = False) -> State:
        """Take steps until `until` of the stage are done. Raises StoppedError when asked to stop, once all is saved.

        Where the stage `ends` there, it does not end in trouble: no later step would tell a wave from a spike.
        """
        while state.step < until:
            with traced(self._training.folder, self._training.ranks, state.global_step, self._profiled):
                state = self._take(state)
            if ends and state.step == until and self._watch.troubled:
                state = self._roll_back(replace(state, step=until - 1))
            self._save_if_due(state)
        self._saver.finish()
        return state

    def _take(self, state: State) -> State:
        began = time.monotonic()
        number = data_step(state.step, self._skipped)
        batch = self._loader.get(number, data_step(state.step + 1, self._skipped))
        waited = time.monotonic() - began
        result = self._stepper.backward(batch, self._share)
        verdict = self._watch.judge(result.loss, result.grad_norm)
        rate = self._rate(state)
        if verdict is Verdict.APPLY:
            self._stepper.apply(rate)
        else:
            self._stepper.skip()
        after = replace(state, step=state.step + 1, tokens=state.tokens + result.tokens)
        self._tell(state, result, rate, verdict is Verdict.APPLY, time.monotonic() - began, waited)
        if verdict is Verdict.ROLL_BACK:
            return self._roll_back(state)
        if self._job.config.average and is_averaged(self._job.config, after.step):
            self._training.snapshot(self._job.folder / AVERAGE, after.step)
        return after

    def _rate(self, state: State) -> float:
        """Return the learning rate, which follows the stages that led to this one."""
        stages = [self._training.recipe.stages[number] for number in self._line]
        return learning_rate(stages, [state.taken[number] for number in self._line[:-1]], state.step)

    def _tell(
        self, state: State, result: StepResult, rate: float, applied: bool, seconds: float, waited: float
    ) -> None:
        event = {
            "step": state.global_step, "stage": self._job.config.name, "loss": result.loss, "norm": result.grad_norm,
            "rate": rate, "tokens": result.tokens, "applied": applied, "s": round(seconds, 5),
            "waited_s": round(waited, 5), **({"metrics": dict(result.metrics)} if result.metrics else {}),
        }  # fmt: skip
        self._training.write("step", **event)
        self._training.watcher.step_taken(event)

    def _save_if_due(self, state: State) -> None:
        ranks, training = self._training.ranks, self._training
        stop = ranks.any(training.stop_asked)
        due = stop or ranks.from_first(time.monotonic() - self._saved_at > training.checkpoint_interval_s)
        # In trouble nothing is saved, also when asked to stop: the weights may be spoilt, and the run that resumes
        # would not know. After a roll-back the newest checkpoint is the loop's current state.
        if due and not self._watch.troubled and state.global_step != self._stands_at:
            training.save(self._saver, state)
            self._saved_at = time.monotonic()
        if stop:
            self._saver.finish()
            training.write("stop", step=state.global_step)
            raise StoppedError
        if self._saver.is_writing and not ranks.any(not self._saver.is_done):
            self._saver.finish()
        if ranks.is_first:
            training.checkpoints.prune(functools.partial(kept, self._faults))

    def _roll_back(self, state: State) -> State:
        """Go back to before the harm, and skip the batches from `faults.spike_back` steps before the trouble to here.

        Steps between the checkpoint and there are taken again as they were: what a run comes to does not depend on when
        its checkpoints were due.
        """
        training, faults = self._training, self._faults
        self._saver.finish()
        training.ranks.barrier()
        if self._back.total >= faults.max_rollbacks:
            raise RunError(
                f"stage {self._job.config.name}: step {state.step} is bad again after {self._back.total} roll-backs"
                f" (faults.max_rollbacks)"
            )
        first = distrusted_from(faults, state.step + 1 - self._watch.troubled, self._back.turned)
        skip = [data_step(step, self._skipped) for step in range(first, state.step + 1)]
        back = self._load_up_to(first)
        training.ranks.barrier()
        if training.ranks.is_first:  # before the journal knows: a run that is killed here meets the trouble once more
            training.checkpoints.remove_after(back.global_step)
        name, key = self._job.config.name, self._job.key
        training.write("rollback", step=back.global_step, stage=name, key=key, at=state.step, skip=skip)
        training.watcher.say(f"rolled back from step {state.step} to {back.step}; {len(skip)} batches are passed over")
        training.ranks.barrier()
        self._stands_at = back.global_step
        self._saver = training.make_saver()  # a new optimiser, if begun anew
        self._read_history(back.global_step)
        return back

    def _load_up_to(self, step: int) -> State:
        """Load the newest checkpoint of the stage that is not after its step `step`, or begin the stage anew."""
        training = self._training
        found = training.newest_of(self._job.key, self._begin.global_step + step)
        if found is None:
            self._restart()
            return self._begin
        checkpoints.load(found[0], training.model, training.optimiser)
        return found[1]


def make_feed(
    recipe: Recipe, corpora: Mapping[str, Stream], rows: RowFolder | None, stage: StageConfig, begin: State
) -> Feed:  # fmt: skip
    """Return the batches of a stage that begins where `begin` says: of its rows, if it has any, else of the shards."""
    if rows is not None:
        return RowFeed(rows, stage.batch_units, f"{recipe.seed}:{stage.name}")
    return make_mixture(recipe, corpora, stage, begin)


def make_mixture(recipe: Recipe, corpora: Mapping[str, Stream], stage: StageConfig, begin: State) -> Mixture | Phases:
    """Return the batches of a stage over shards; without a mix, sources weigh by their tokens."""
    mixes = stage.mixes({name: corpus.epoch_tokens for name, corpus in corpora.items()})
    if stage.recall.share:
        corpora = beside_recall(corpora, recipe.stream_seed, stage.recall.warm_up_tokens)

    def make(n: int, starts: Mapping[str, int]) -> Mixture:
        key = f"{recipe.seed}:{stage.name}{f':{n}' if n else ''}"
        return Mixture(corpora, mixes[n], stage.seq_len, stage.batch_sequences, starts, recipe.mix_block, key)

    changes = [change.batch for change in stage.mix_changes]
    return Phases(changes, begin.starts, make) if changes else make(0, begin.starts)


class _Loader:
    """Prepares the next batch in a thread while the model works on this one. Holds no state that matters."""

    def __init__(self, feed: Feed, ranks: Ranks) -> None:
        self._feed, self._ranks = feed, ranks
        self._pool = ThreadPoolExecutor(1, "loader")
        self._ahead: tuple[int, Future[Batch]] | None = None

    def get(self, number: int, then: int) -> Batch:
        """Return batch `number`, and start to prepare batch `then`."""
        if self._ahead is None or self._ahead[0] != number:
            self._ahead = (number, self._make(number))
        batch = self._ahead[1].result()
        self._ahead = (then, self._make(then))
        return batch

    def _make(self, number: int) -> Future[Batch]:
        return self._pool.submit(self._feed.batch, number, self._ranks.rank, self._ranks.world)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
