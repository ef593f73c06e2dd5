//! Work on many things, with all processors at once.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer things than this are done faster than a thread is started.
const WORTH_A_THREAD: usize = 64;
/// How many a thread takes at once: few, so that none waits long for another at the end.
const BLOCK: usize = 32;

/// The results of `each` for each of `items`, in their order. Each thread begins with a value of
/// `start`.
pub fn in_parallel<T: Sync, S, R: Send>(
    items: &[T],
    start: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = processors.min(items.len().div_ceil(WORTH_A_THREAD));
    if threads <= 1 {
        let mut state = start();
        return items.iter().map(|item| each(&mut state, item)).collect();
    }
    let blocks: Vec<&[T]> = items.chunks(BLOCK).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut state = start();
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(number) else { return done };
            let results: Vec<R> = block.iter().map(|item| each(&mut state, item)).collect();
            done.push((number, results));
        }
    };
    let mut done: Vec<(usize, Vec<R>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, 63, 64, 65, 1000, 1031] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = in_parallel(
                &items,
                || 0,
                |seen, item| {
                    *seen += 1;
                    assert!(*seen <= count);
                    item * 2
                },
            );
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "five hundred")]
    fn a_panic_is_passed_on() {
        let items: Vec<usize> = (0..1000).collect();
        in_parallel(&items, || (), |(), item| assert!(*item != 500, "five hundred"));
    }
}
