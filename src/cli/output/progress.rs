//! Shows on standard error that a large module is being compiled, and how far a batch is.

use std::fmt;
use std::io::{self, IsTerminal};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use wrun::batch::BatchCounters;
use wrun::session::Event;

use super::draw_target::DrawTarget;
use super::{printer, records};
use crate::cli::args::When;

/// How long a compilation takes before `auto` shows a spinner.
const DELAY: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// The time between two lines about a batch.
const INTERVAL: Duration = Duration::from_secs(10);
/// Modules of fewer bytes compile within [`DELAY`] on any machine, so `auto` starts no thread for them.
const SMALL: usize = 64 << 10;

/// Shows compilations: a spinner on a terminal, lines elsewhere, or nothing.
pub(crate) struct Progress {
    mode: Mode,
    state: Mutex<State>,
}

enum Mode {
    Silent,
    /// `is_auto`: not while results go to a terminal too.
    Spinner {
        delay: Duration,
        is_auto: bool,
    },
    Lines,
}

enum State {
    Idle,
    Spinner(ProgressBar),
    Line { started: Instant },
    Counting(Arc<dyn Fn() -> String + Send + Sync>, ProgressBar),
    Ended,
}

impl Progress {
    /// `auto` is a spinner on a terminal after a delay, unless `quiet`. `always` is a spinner at once, or lines if standard
    /// error is not a terminal that can clear a line.
    pub(crate) fn new(when: When, quiet: bool) -> Self {
        let can_clear_line = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb");
        let mode = match (when, can_clear_line) {
            (When::Auto, true) if !quiet => Mode::Spinner { delay: DELAY, is_auto: true },
            (When::Always, true) => Mode::Spinner { delay: Duration::ZERO, is_auto: false },
            (When::Always, false) => Mode::Lines,
            (When::Auto | When::Never, _) => Mode::Silent,
        };
        Self { mode, state: Mutex::new(State::Idle) }
    }

    /// Returns whether a spinner may be drawn, which must be cleared before the process ends.
    pub(crate) fn may_draw(&self) -> bool {
        matches!(self.mode, Mode::Spinner { .. })
    }

    /// Updates the display from an event of a session.
    pub(crate) fn observe(&self, event: Event) {
        let mut state = self.state();
        match (event, &*state) {
            (Event::Compiling { bytes }, State::Idle) => *state = self.start(bytes),
            (Event::Compiled, State::Spinner(bar)) => {
                bar.finish_and_clear();
                *state = State::Idle;
            }
            (Event::Compiled, State::Line { started }) => {
                printer::progress(&format!("compiled in {:.1} s", started.elapsed().as_secs_f64()));
                *state = State::Idle;
            }
            _ => {}
        }
    }

    /// Shows how many records a batch has processed, until [`Progress::end`]: on a terminal, unless results go to a terminal too
    /// and it is not asked for; elsewhere in a line every few seconds and at the end.
    pub(crate) fn count_records(&self, counters: &Arc<BatchCounters>) {
        if matches!(self.mode, Mode::Spinner { is_auto: true, .. }) && io::stdout().is_terminal() {
            return;
        }
        let counters = Arc::clone(counters);
        self.count(move || records::progress(&counters));
    }

    /// Shows this text, until [`Progress::end`]: on a terminal, or in a line every few seconds and at the end.
    pub(crate) fn count(&self, text: impl Fn() -> String + Send + Sync + 'static) {
        let (target, template) = match self.mode {
            Mode::Spinner { delay, .. } => (DrawTarget::terminal(delay), "{spinner} {counts}"),
            Mode::Lines => (DrawTarget::lines(INTERVAL), "{counts}"),
            Mode::Silent => return,
        };
        let text: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(text);
        let mut state = self.state();
        if matches!(*state, State::Idle) {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(target)));
            let shown = Arc::clone(&text);
            let style = style(template).with_key("counts", move |_: &ProgressState, f: &mut dyn fmt::Write| {
                let _ = f.write_str(&shown());
            });
            bar.set_style(style);
            if ticks(&bar) {
                *state = State::Counting(text, bar);
            }
        }
    }

    /// Shows the step that a long command is at, until the next step or [`Progress::end`].
    pub(crate) fn show_step(&self, step: String) {
        let mut state = self.state();
        match (&self.mode, &*state) {
            (Mode::Lines, _) => printer::progress(&step),
            (Mode::Spinner { .. }, State::Spinner(bar)) => bar.set_message(step),
            (Mode::Spinner { delay, .. }, State::Idle) => {
                *state = spinner("{spinner} {msg}, {elapsed}", step, *delay).map_or(State::Idle, State::Spinner);
            }
            _ => {}
        }
    }

    /// Clears the spinner and stops drawing.
    pub(crate) fn end(&self) {
        match mem::replace(&mut *self.state(), State::Ended) {
            State::Spinner(bar) => bar.finish_and_clear(),
            State::Counting(text, bar) => {
                bar.finish_and_clear();
                if matches!(self.mode, Mode::Lines) {
                    printer::progress(&text());
                }
            }
            _ => {}
        }
    }

    fn start(&self, bytes: usize) -> State {
        let size = bytesize::ByteSize::b(bytes as u64);
        match self.mode {
            Mode::Spinner { delay, .. } if delay.is_zero() || bytes >= SMALL => {
                spinner("{spinner} compiling {msg}, {elapsed}", size.to_string(), delay)
                    .map_or(State::Idle, State::Spinner)
            }
            Mode::Lines => {
                printer::progress(&format!("compiling {size}"));
                State::Line { started: Instant::now() }
            }
            Mode::Silent | Mode::Spinner { .. } => State::Idle,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a spinner. Returns `None` if the system cannot create its thread.
fn spinner(template: &str, message: String, delay: Duration) -> Option<ProgressBar> {
    let target = ProgressDrawTarget::term_like(Box::new(DrawTarget::terminal(delay)));
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(style(template));
    bar.set_message(message);
    ticks(&bar).then_some(bar)
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

/// Starts the thread that draws. Returns whether the system can create it: indicatif panics if not.
fn ticks(bar: &ProgressBar) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| bar.enable_steady_tick(TICK))).is_ok()
}
