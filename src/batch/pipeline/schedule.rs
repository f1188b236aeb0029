//! Which records wait, run and are done. It knows no threads and no clock.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Records that wait for a worker.
pub(crate) trait Work {
    /// Returns the number of records, at least one.
    fn len(&self) -> usize;

    /// Returns about how many bytes of memory they take.
    fn bytes(&self) -> usize;

    /// Removes the first `records` of them. There are more.
    fn split_to(&mut self, records: usize) -> Self;
}

/// The output of a worker for some records.
pub(crate) trait PieceOutput {
    /// Returns about how many bytes of memory it takes.
    fn bytes(&self) -> usize;

    /// Returns whether the batch ends here: no later record is needed.
    fn is_last(&self) -> bool;
}

/// Records that one worker takes at a time: works whose records follow each other.
#[derive(Debug)]
pub(crate) struct Piece<W> {
    /// The position of the first record in the stream, counted from 0.
    pub(crate) first: u64,
    pub(crate) works: VecDeque<W>,
}

/// Whether a batch was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    /// After all records were read, and without dropping any.
    Complete,
    /// Records were dropped, or the rest of the input.
    Dropped,
}

/// The state of a stream between its source and its sink.
#[derive(Debug)]
pub(crate) struct Schedule<W, U> {
    jobs: usize,
    ordered: bool,
    /// Whether each piece has one record.
    is_single: bool,
    /// Works with the positions of their first records, in order. Most have no gaps between them; works that a worker gave back
    /// may be followed by one.
    waiting: VecDeque<(u64, W)>,
    waiting_records: usize,
    waiting_bytes: usize,
    /// The positions of the pieces that workers have: the first record of each, and the end.
    running: BTreeMap<u64, u64>,
    /// Outputs that the sink has not taken, by the position of their first records, with their ends.
    done: BTreeMap<u64, (u64, U)>,
    /// The bytes of outputs that are done and not yet written.
    held_bytes: usize,
    /// The number of records that were read.
    read: u64,
    /// The position after the last record that the sink has taken. In order, it has taken all before it.
    next: u64,
    /// Records from this position on are not needed.
    end: u64,
    is_read: bool,
    stopped: Stopped,
    /// Nanoseconds that a record takes, if one was measured.
    record_ns: Option<u64>,
}

impl<W: Work, U: PieceOutput> Schedule<W, U> {
    /// The time that a piece should take, in nanoseconds, if enough records wait. A piece of a millisecond makes the cost of
    /// passing it between threads small.
    const PIECE_NS: Range<u64> = 100_000..1_000_000;
    /// The maximum number of records in a piece.
    const PIECE_RECORDS: usize = 16 << 10;
    /// If at most this many records wait, they are taken one by one: a result does not wait for a slow record that came with it.
    const FEW_RECORDS: usize = 32;
    /// The size of a piece that has more than one record, in bytes.
    pub(crate) const PIECE_BYTES: usize = 64 << 10;
    /// Bytes of records that are read ahead, for each worker.
    const AHEAD_BYTES: usize = 2 * Self::PIECE_BYTES;
    /// Bytes of outputs that wait for an earlier one, or for the sink. At this number, workers take only the record that all
    /// wait for.
    const HELD_BYTES: usize = 4 << 20;
    /// Bytes that are counted for each output in addition to its own.
    const OUTPUT_COST: usize = 512;

    pub(crate) fn new(jobs: usize, ordered: bool) -> Self {
        Self {
            jobs,
            ordered,
            is_single: false,
            waiting: VecDeque::new(),
            waiting_records: 0,
            waiting_bytes: 0,
            running: BTreeMap::new(),
            done: BTreeMap::new(),
            held_bytes: 0,
            read: 0,
            next: 0,
            end: u64::MAX,
            is_read: false,
            stopped: Stopped::No,
            record_ns: None,
        }
    }

    /// Makes each piece have one record.
    pub(crate) fn make_single(&mut self) {
        self.is_single = true;
    }

    /// Returns whether more records should be read now.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting_bytes < Self::AHEAD_BYTES * (self.jobs + 1)
    }

    /// Returns whether so few records wait that a reader that waits for room should read on. It then reads several times.
    pub(crate) fn has_much_room(&self) -> bool {
        self.waiting_bytes < Self::AHEAD_BYTES * (self.jobs + 1) / 2
    }

    /// Adds records that were read, or drops them if reading has ended.
    pub(crate) fn push(&mut self, work: W) {
        if !self.is_read {
            let first = self.read;
            self.read += work.len() as u64;
            self.insert(self.waiting.len(), first, work);
        }
    }

    /// Notes that reading has ended.
    pub(crate) fn end_reading(&mut self) {
        self.is_read = true;
    }

    /// Returns whether reading has ended.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read
    }

    /// Returns whether a worker has records.
    pub(crate) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Returns whether no record waits or runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Returns whether all records were processed, and reading has ended.
    pub(crate) fn is_worked(&self) -> bool {
        self.is_read && self.is_idle()
    }

    /// Returns whether the sink has taken all outputs.
    pub(crate) fn is_over(&self) -> bool {
        (self.ordered && self.next >= self.end) || (self.is_worked() && self.done.is_empty())
    }

    /// Returns whether a record is waiting.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns whether stopping has dropped records, or the rest of the input.
    pub(crate) fn has_dropped(&self) -> bool {
        self.stopped == Stopped::Dropped
    }

    /// Returns the next records for a worker. `None` if none wait, or if too many outputs wait.
    pub(crate) fn take(&mut self) -> Option<Piece<W>> {
        let first = self.waiting.front()?.0;
        let is_awaited = self.ordered && first == self.next;
        if self.held_bytes >= Self::HELD_BYTES && !is_awaited {
            return None;
        }
        let mut room = self.piece_records();
        let (mut end, mut bytes, mut works) = (first, 0, VecDeque::new());
        while room > 0
            && let Some((position, work)) = self.waiting.front_mut()
        {
            let (len, size) = (work.len(), work.bytes());
            if *position != end || (!works.is_empty() && bytes + size > Self::PIECE_BYTES) {
                break;
            }
            let taken = len.min(room);
            if taken < len {
                works.push_back(work.split_to(taken));
                *position += taken as u64;
                self.waiting_bytes = self.waiting_bytes - size + work.bytes();
            } else {
                self.waiting_bytes -= size;
                works.extend(self.waiting.pop_front().map(|(_, work)| work));
            }
            self.waiting_records -= taken;
            end += taken as u64;
            bytes += size;
            room -= taken;
        }
        self.running.insert(first, end);
        Some(Piece { first, works })
    }

    /// Returns the number of records that the next piece should have: for a time of [`Self::PIECE_NS`], and few enough that
    /// every worker gets some.
    fn piece_records(&self) -> usize {
        let Some(record_ns) = self.record_ns.filter(|_| !self.is_single && self.waiting_records > Self::FEW_RECORDS)
        else {
            return 1;
        };
        let Range { start, end } = Self::PIECE_NS;
        let within =
            |ns: u64| usize::try_from(ns / record_ns.max(1)).unwrap_or(usize::MAX).clamp(1, Self::PIECE_RECORDS);
        self.waiting_records.div_ceil(2 * self.jobs - 1).clamp(within(start), within(end))
    }

    /// Adds the output of a piece. The records of `rest` were not processed; others were, in `ns` nanoseconds. Drops the output
    /// if the piece has failed.
    pub(crate) fn finish(&mut self, first: u64, output: U, rest: VecDeque<W>, ns: u64) {
        let Some(end) = self.running.remove(&first) else { return };
        let rest_records: usize = rest.iter().map(Work::len).sum();
        let done = end - rest_records as u64;
        if done > first {
            let measured = ns / (done - first);
            // A rise counts at once, so that slow records do not gather in large pieces.
            self.record_ns =
                Some(self.record_ns.map_or(measured, |record_ns| measured.max(record_ns.midpoint(measured))));
        }
        if output.is_last() {
            self.end_at(done);
        } else {
            let index = self.waiting.partition_point(|(position, _)| *position < done);
            let mut position = done;
            for (offset, work) in rest.into_iter().enumerate() {
                let len = work.len() as u64;
                if position < self.end {
                    self.insert(index + offset, position, work);
                }
                position += len;
            }
        }
        // Without an order, outputs of later records may have been taken already.
        if !self.ordered || first < self.end {
            self.held_bytes += output.bytes() + Self::OUTPUT_COST;
            self.done.insert(first, (done, output));
        }
        if self.stopped != Stopped::No {
            self.drop_waiting();
        }
    }

    /// Ends the batch before a piece that has no output, because its worker panicked or does not return it.
    pub(crate) fn fail(&mut self, first: u64) {
        self.running.remove(&first);
        self.end_at(first);
        if self.stopped != Stopped::No {
            self.drop_waiting();
        }
    }

    fn insert(&mut self, index: usize, position: u64, work: W) {
        self.waiting_records += work.len();
        self.waiting_bytes += work.bytes();
        self.waiting.insert(index, (position, work));
    }

    /// Drops everything from a position on. Without an order, outputs stay.
    fn end_at(&mut self, position: u64) {
        self.end = self.end.min(position);
        self.is_read = true;
        let end = self.end;
        while let Some((_, work)) = self.waiting.pop_back_if(|(position, _)| *position >= end) {
            self.forget(&work);
        }
        if self.ordered {
            for (_, (_, output)) in self.done.split_off(&self.end) {
                self.held_bytes -= output.bytes() + Self::OUTPUT_COST;
            }
        }
    }

    /// Ends the batch as soon as possible. The outputs are those of the first records, without gaps: waiting records before the last one
    /// that a worker took are still processed. Returns false if it was stopped before.
    pub(crate) fn stop(&mut self) -> bool {
        if self.stopped != Stopped::No {
            return false;
        }
        self.stopped = if self.is_read { Stopped::Complete } else { Stopped::Dropped };
        self.is_read = true;
        self.drop_waiting();
        true
    }

    fn drop_waiting(&mut self) {
        let running = self.running.last_key_value().map_or(0, |(_, end)| *end);
        let done = self.done.last_key_value().map_or(0, |(_, (end, _))| *end);
        let keep = self.next.max(running).max(done);
        while let Some((_, work)) = self.waiting.pop_back_if(|(position, _)| *position >= keep) {
            self.forget(&work);
            self.stopped = Stopped::Dropped;
        }
    }

    fn forget(&mut self, work: &W) {
        self.waiting_records -= work.len();
        self.waiting_bytes -= work.bytes();
    }

    /// Drops all records that wait, and ends reading.
    pub(crate) fn close(&mut self) {
        self.is_read = true;
        self.waiting.clear();
        (self.waiting_records, self.waiting_bytes) = (0, 0);
    }

    /// Returns outputs for the sink, about 64 KiB at a time, with the bytes that are counted for them until
    /// [`Schedule::release`].
    pub(crate) fn ready(&mut self) -> (Vec<U>, usize) {
        let (mut outputs, mut bytes) = (Vec::new(), 0);
        while bytes < Self::PIECE_BYTES && self.is_ready() {
            let Some((_, (end, output))) = self.done.pop_first() else { break };
            self.next = self.next.max(end);
            bytes += output.bytes() + Self::OUTPUT_COST;
            outputs.push(output);
        }
        (outputs, bytes)
    }

    /// Returns whether there is an output that the sink can take.
    pub(crate) fn is_ready(&self) -> bool {
        self.done.first_key_value().is_some_and(|(first, _)| !self.ordered || *first == self.next)
    }

    /// Returns whether the sink should take outputs now. While a worker has records, few outputs may wait for its output.
    pub(crate) fn is_due(&self) -> bool {
        self.is_ready() && (self.held_bytes >= Self::PIECE_BYTES || !self.is_running())
    }

    /// Notes that outputs were written.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.held_bytes -= bytes;
    }
}
