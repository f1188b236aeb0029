//! Blocks never overlap, and count against the budget.

use super::*;

fn budget(limit: u64) -> MemoryBudget {
    MemoryBudget::new(Some(limit), 0)
}

/// Asserts that the blocks follow one another, that no two free ones do, and that the lists agree.
fn check(blocks: &Blocks) {
    let mut end = START;
    let mut was_free = false;
    for (offset, block) in &blocks.records {
        assert_eq!(*offset, end);
        let is_free = block.length.is_none();
        assert!(!(was_free && is_free), "two free blocks at {offset}");
        assert_eq!(is_free, blocks.free.contains(&(block.size, *offset)));
        assert!(block.length.is_none_or(|length| length <= block.size));
        (end, was_free) = (offset + block.size, is_free);
    }
    assert_eq!(blocks.free.len(), blocks.records.values().filter(|block| block.length.is_none()).count());
    assert!(blocks.records.is_empty() || end == blocks.bytes.len());
}

#[test]
fn blocks_of_random_sizes_never_overlap() {
    let budget = budget(1 << 20);
    let mut blocks = Blocks::default();
    let mut live: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut random = 1_u64;
    for round in 0..20_000_u32 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = usize::try_from(random >> 40).unwrap();
        if number % 3 == 0 && !live.is_empty() {
            let (offset, bytes) = live.swap_remove(number % live.len());
            assert_eq!(blocks.block(offset), Some(bytes.as_slice()));
            blocks.free(offset);
            assert_eq!(blocks.length(offset), None);
        } else {
            let bytes = vec![round.to_le_bytes()[0]; number % 700 + 1];
            match blocks.insert(&bytes, &budget) {
                Some(offset) => live.push((offset, bytes)),
                None => drop(live.drain(..live.len() / 2).map(|(offset, _)| blocks.free(offset)).count()),
            }
        }
        if round % 500 == 0 {
            check(&blocks);
        }
    }
    for (offset, bytes) in &live {
        assert_eq!(blocks.block(*offset), Some(bytes.as_slice()));
    }
    check(&blocks);
    assert_eq!(budget.used(), blocks.taken());
}

#[test]
fn the_records_of_tiny_blocks_count() {
    let budget = budget(1 << 20);
    let mut blocks = Blocks::default();
    let count = (0..1 << 20).take_while(|_| blocks.allocate(1, &budget).is_some()).count() as u64;
    assert!(count <= (1 << 20) / RECORD, "{count}");
    assert!(budget.denied().is_some());
}

#[test]
fn a_large_block_is_abandoned_as_soon_as_the_call_is_stopped() {
    let budget = budget(64 << 20);
    let mut blocks = Blocks::default();
    blocks.allocate(10, &budget).unwrap();
    let looks = std::cell::Cell::new(0);
    let stops = || {
        looks.set(looks.get() + 1);
        looks.get() < 3
    };
    assert_eq!(blocks.allocate_while(32 << 20, &budget, &stops), None);
    assert_eq!(looks.get(), 3);
    check(&blocks);
    assert!(blocks.allocate_while(1 << 20, &budget, &|| false).is_some(), "a small block is not interrupted");
    check(&blocks);
}

#[test]
fn a_freed_block_is_not_found_and_can_be_freed_again() {
    let budget = budget(1 << 20);
    let mut blocks = Blocks::default();
    let offset = blocks.insert(b"once", &budget).unwrap();
    blocks.free(offset);
    blocks.free(offset);
    blocks.free(offset + 1);
    blocks.free(u64::MAX);
    check(&blocks);
    assert_ne!(blocks.insert(b"next", &budget), Some(offset), "a block is reused while there is other memory");
}

#[test]
fn accesses_outside_memory_find_nothing() {
    let budget = budget(1 << 20);
    let mut blocks = Blocks::default();
    let offset = blocks.insert(&[7; 16], &budget).unwrap();
    assert_eq!(blocks.load(offset + 8), Some([7; 8]));
    assert_eq!(blocks.load::<8>(offset + 9), None);
    assert_eq!(blocks.load::<8>(u64::MAX), None);
    assert_eq!(blocks.load::<1>(0), None);
    blocks.store(offset + 9, &[1; 8]);
    blocks.store(u64::MAX - 3, &[1; 8]);
    assert_eq!(blocks.block(offset), Some([7; 16].as_slice()));
    assert_eq!(blocks.length(offset + 1), None);
}

#[test]
fn a_reset_gives_back_the_memory_of_a_large_call() {
    let budget = budget(8 << 20);
    let mut blocks = Blocks::default();
    blocks.allocate(4 << 20, &budget).unwrap();
    assert!(budget.used() > 4 << 20);
    blocks.reset(&budget);
    assert_eq!(budget.used(), 0);
    blocks.allocate(1, &budget).unwrap();
    blocks.reset(&budget);
    assert_eq!(budget.used(), PAGE);
    assert_eq!(blocks.load::<1>(START as u64), None);
}
